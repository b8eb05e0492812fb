"""`azr watch`: a live page of a run, in the browser."""

import threading
from pathlib import Path

import click

PORT = 8710


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port to listen at; 0: any free one."
)
def watch(run: Path, port: int) -> None:
    """Show a run as it goes on, in a browser on this machine.

    Nothing is written and the trainer is not disturbed. Only this machine can ask; from another one, go through ssh:
    ssh -L 8710:127.0.0.1:8710 MACHINE.
    """
    from azr.report.folder import Folder
    from azr.util.sanitize import one_line
    from azr.watch.live import Live
    from azr.watch.server import HOST, application, listen, server

    folder = Folder(run)
    live = Live(folder)
    listening = listen(port)
    threading.Thread(target=live.follow, daemon=True, name="follow").start()
    click.echo(f"http://{HOST}:{listening.getsockname()[1]}/ shows {one_line(str(run))}; Ctrl-C ends it", err=True)
    try:
        server(application(live, folder.name)).run(sockets=[listening])
    except KeyboardInterrupt:
        # Ctrl-C ends it.
        return
    finally:
        live.close()
        listening.close()
