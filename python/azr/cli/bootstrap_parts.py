"""What the commands of `azr bootstrap` share."""

from azr.bootstrap.tokenizer import make_tokenizer
from azr.config import Config, load_config
from azr.pipeline.build import make_sandbox
from azr.pipeline.parts import make_task_kinds
from azr.sandbox import Sandbox
from azr.tasks.render import Renderer
from azr.tasks.templates import Terse


def make_parts() -> tuple[Config, Renderer, Sandbox]:
    """The embedded model's config, its prompts and a sandbox."""
    config = load_config(None, [])
    tokenizer = make_tokenizer()
    renderer = Renderer(
        Terse(),
        make_task_kinds(config),
        lambda text, special: list(tokenizer.encode(text, add_special_tokens=special)),
        (),
    )
    return config, renderer, make_sandbox(config)
