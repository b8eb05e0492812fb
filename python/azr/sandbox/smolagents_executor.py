"""An executor for smolagents: its agents' code runs in the sandbox, their tools where they always did.

    agent = CodeAgent(tools=[...], model=model, executor=SandboxExecutor())

Variables last from step to step. Arguments and results of tools are plain data. A step that calls `final_answer` ends
there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from smolagents.local_python_executor import CodeOutput, InterpreterError, PythonExecutor

from azr.sandbox.client import Limits, Outcome, OutcomeKind, Sandbox
from azr.sandbox.session import FileQuota, Session

_FINAL = "final_answer"
# In the session `final_answer` ends the step, past any `except Exception` of the model's code.
_SETUP = f"""
class FinalAnswer(BaseException):
    pass

def _make(tell):
    def {_FINAL}(*args, **kwargs):
        tell(*args, **kwargs)
        raise FinalAnswer
    return {_FINAL}

{_FINAL} = _make({_FINAL})
del _make
"""


class SandboxExecutor(PythonExecutor):
    """Runs code of a smolagents agent in a session of the sandbox."""

    def __init__(
        self,
        sandbox: Sandbox | None = None,
        *,
        limits: Limits | None = None,
        files: FileQuota | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        deadline: float | None = None,
    ) -> None:
        self.sandbox = sandbox or Sandbox(threads=1)
        self.limits, self.files, self.deadline = limits, files, deadline
        self.functions = dict(functions or {})
        self.tools: dict[str, Callable[..., Any]] = {}
        self.variables: dict[str, Any] = {}
        self.session: Session | None = None
        self._final: list[Any] = []

    def send_tools(self, tools: dict[str, Any]) -> None:
        """Take the agent's tools. Other names than before begin a new session."""
        tools = {**tools, **self.functions}
        if tools.keys() != self.tools.keys():
            self.session = None
        self.tools = tools

    def send_variables(self, variables: dict[str, Any]) -> None:
        """Set variables to plain data. Raises TypeError for anything else."""
        self.variables.update(variables)
        if self.session is not None:
            self.session.set(**variables)

    def __call__(self, code_action: str) -> CodeOutput:
        session = self.session or self._open()
        self._final.clear()
        outcome = session.run(code_action, deadline=self.deadline)
        logs = outcome.stdout + outcome.stderr
        if self._final and outcome.exception == "FinalAnswer":
            return CodeOutput(output=self._final[0], logs=logs, is_final_answer=True)
        if outcome.kind is OutcomeKind.RETURNED and outcome.value is not None:
            return CodeOutput(output=outcome.value.to_python(), logs=logs, is_final_answer=False)
        if outcome.kind is OutcomeKind.NOT_A_TASK_VALUE:
            # The step did what it did; its last expression is an object, which a text stands for.
            return CodeOutput(output=outcome.message, logs=logs, is_final_answer=False)
        raise InterpreterError(_problem(outcome))

    def cleanup(self) -> None:
        """Forget the session."""
        self.session = None

    def _open(self) -> Session:
        functions = {name: self._caller(name) for name in self.tools}
        session = Session(self.sandbox, functions=functions, limits=self.limits, files=self.files)
        if _FINAL in functions:
            session.run(_SETUP)
        session.set(**self.variables)
        self.session = session
        return session

    def _caller(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            # The tool of that name as it is now: the agent may have given another.
            result = self.tools[name](*args, **kwargs)
            if name == _FINAL:
                self._final.append(result)
                return None
            return result

        return call


def _problem(outcome: Outcome) -> str:
    where = "".join(f"  line {line}, in {function}\n" for line, function in outcome.traceback)
    what = outcome.exception or outcome.kind.value.replace("_", " ")
    logs = f"Execution logs:\n{outcome.stdout}{outcome.stderr}\n" if outcome.stdout or outcome.stderr else ""
    return f"{logs}{where}{what}: {outcome.message or ''}".rstrip(": ")
