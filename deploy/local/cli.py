"""The commands behind `make`."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local import docker_engine, supervisor
from deploy.local.backend import Backend
from deploy.local.compose_backend import ComposeBackend
from deploy.local.demo import COMPANY, run_demo
from deploy.local.errors import StackError
from deploy.local.local_backend import LocalBackend
from deploy.local.stack import ROOT
from deploy.local.tokens import make_token

DEFAULT_PORT = 8080

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The whole product on this machine.")
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Names = Annotated[list[str] | None, typer.Argument(help="Processes; all when none is given.")]


def state_dir() -> Path:
    """Where the stack without Docker keeps everything: LOCAL_STATE_DIR, else `.local/stack` in the project."""
    return Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local" / "stack")


def gateway_port() -> int:
    """Return the port of GATEWAY_PORT."""
    wish = os.environ.get("GATEWAY_PORT") or str(DEFAULT_PORT)
    if not wish.isdecimal() or not 0 < int(wish) < 2**16:
        msg = f"GATEWAY_PORT is {wish!r}; it must be a port number, 1 to 65535"
        raise StackError(msg)
    return int(wish)


def event_options(variables: Mapping[str, str]) -> list[str]:
    """Convert the variables of `make events` to options of `events`; an empty variable counts as unset."""
    named = {"TYPE": "--type", "COMPANY": "--company", "SINCE": "--since"}
    options = [text for name, option in named.items() if variables.get(name) for text in (option, variables[name])]
    flags = {"--from-start": "FROM_START", "--json": "JSON"}
    options += [flag for flag, name in flags.items() if variables.get(name)]
    return options + (["--no-follow"] if variables.get("FOLLOW") == "0" else [])


def choose() -> Backend:
    """Return the backend: the one of STACK, else the one that is up, else Docker if an engine answers."""
    wish = os.environ.get("STACK", "")
    if wish not in {"", "local", "docker"}:
        msg = f"STACK is {wish!r}; it must be local or docker"
        raise StackError(msg)
    local = LocalBackend(state_dir(), gateway_port(), console)
    if wish == "local" or (not wish and local.is_up()):
        return local
    if docker_engine.has_compose():
        return ComposeBackend(console)
    if wish == "docker":
        msg = "STACK=docker, but no Docker engine answers (docker info), or it lacks the compose plugin"
        raise StackError(msg)
    return local


@app.command()
def up() -> None:
    """Bring the stack up and wait until every process is ready."""
    choose().up()


@app.command()
def down() -> None:
    """Stop the stack; its data stays."""
    choose().down()


@app.command()
def status() -> None:
    """Show what each process does; exit code 1 unless all are well."""
    if not choose().status():
        raise typer.Exit(1)


@app.command()
def logs(names: Names = None, *, follow: Annotated[bool, typer.Option("-f", "--follow")] = False) -> None:
    """Show the end of the processes' logs."""
    choose().logs(names or [], follow=follow)


@app.command()
def token(company: str = "1", role: str = "user", sub: str = "local") -> None:
    """Print an access token, valid for 24 hours, and nothing else."""
    companies = [part.strip() for part in company.split(",")]
    if not all(part.isdecimal() for part in companies):
        msg = f"--company is {company!r}; it must be numbers separated by commas"
        raise StackError(msg)
    if role not in {"user", "admin"}:
        msg = f"--role is {role!r}; it must be user or admin"
        raise StackError(msg)
    typer.echo(make_token(choose().jwt_secret, [int(part) for part in companies], role=role, subject=sub))


@app.command()
def run() -> None:
    """Bring the stack up and do the main job: a campaign, an import, the statistics."""
    stack = choose()
    stack.up()
    url = stack.gateway_url
    run_demo(url, make_token(stack.jwt_secret, [COMPANY], role="admin"), console)
    example = f"{url}/api/voice-campaigns/company/{COMPANY}/stats"
    console.print(
        f"\nThe stack is up at [bold]{url}[/]\n"
        "  a token:  make token COMPANY=1\n"
        f'  a call:   curl -H "Authorization: Bearer $(make token COMPANY=1)" {example}\n'
        "  to watch: make status, make logs\n"
        "  to stop:  make down"
    )


@app.command()
def rebuild() -> None:
    """Rebuild totals and reports from the history of events; the old ones are served meanwhile."""
    choose().rebuild()


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def events(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Print events as they are published.

    The options are those of `python -m operations events --help`; without any, they come from the variables
    of `make events`.
    """
    choose().events(arguments or event_options(os.environ))


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def dlq(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """List, show, retry or drop dead letters; the options are those of `python -m operations dlq --help`."""
    choose().dead_letters(arguments or ["list"])


@app.command()
def subscriber(name: str) -> None:
    """Make a broker account for a program that subscribes to events, or give it a new password; print its URL alone."""
    url = choose().subscriber(name)
    errors.print(
        f"The account {name} declares and reads queues named {name}.…, with a new password, printed only now.\n"
        "What to do with it: docs/subscribing.md"
    )
    typer.echo(url)


@app.command()
def clean() -> None:
    """Stop the stack and delete its data; volumes of docker compose stay."""
    choose().clean()


@app.command(hidden=True)
def supervise() -> None:
    """Be the background process of the stack without Docker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    raise typer.Exit(supervisor.supervise(state_dir(), gateway_port()))


def main() -> None:
    """Run a command; errors are printed to standard error, with exit code 1."""
    try:
        app()
    except StackError as error:
        errors.print(f"[red]{type(error).__name__}[/]", end=": ")
        errors.print(str(error), markup=False)
        raise SystemExit(1) from None
