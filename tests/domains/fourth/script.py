from azr.rollouts import demo


def answer(prompt, draw):
    if prompt.role == "propose" and prompt.kind.base == "cover":
        first = draw % 60 * 4
        return demo.think(f"```input\n{[first, first + 1, first + 2, first + 3, (first + 9) % 256]}\n```")
    if prompt.kind.base == "cover":
        blocks = [(address, 1) for address in prompt.task.outputs[0].to_python()]
        return demo.think(f"```output\n{blocks}\n```")
    return demo.answer(prompt, draw)
