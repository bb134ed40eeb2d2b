"""The command that draws a hospital's own figures."""

from __future__ import annotations

import os
from pathlib import Path

import click

from site_agent.contract.errors import ConfigurationError


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="figures.html",
    show_default=True,
    help="The file to write, readable by you alone.",
)
@click.option("--keys", is_flag=True, help="Write the patients' keys, not running numbers.")
@click.pass_obj
def figures(config: Path, study: str, out: Path, keys: bool) -> None:
    """Draw this hospital's own patients for STUDY (name, hash or file): nothing is sent.

    One HTML file: swimmer plots, waterfall plots of what is compared before and after,
    survival curves, descriptive tables. Single patients show in it.

    Example: site-agent figures anakinra --out figures.html
    """
    from site_agent.check import study_and_data
    from site_agent.runtime.files import write_private
    from site_agent.site import open_site

    try:
        from site_agent.local.page import page
    except ImportError as error:
        raise ConfigurationError(
            f"drawing needs the package {error.name}, which is not installed: install the agent "
            f"with its extra 'figures' (pip install 'quorum[figures]')"
        ) from None
    from site_agent.local.cohort import read_cohort

    site = open_site(config, os.environ)
    found, folder, attributes = study_and_data(site, study)
    cohort = read_cohort(found, folder, site.name, attributes)
    write_private(out, page(cohort, keys=keys).encode("utf-8"))
    click.echo(f"{out}: for this hospital only, single patients show in it")
