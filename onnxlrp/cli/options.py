"""Arguments that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser

IMAGENET = "imagenet"
"""The word that stands for the packaged class names."""


def add_network_options(parser: ArgumentParser) -> None:
    """Add the options that say how a model is to be read."""
    add = parser.add_argument_group("the network").add_argument
    add(
        "--labels",
        metavar="FILE",
        help=f"text file with one class name a line, or '{IMAGENET}' for the packaged names",
    )
    add("--output-name", metavar="NAME", help="model output to explain, if there are several")
    add(
        "--preprocessing",
        metavar="FIELDS",
        help="corrects the guess how pictures become the input: 'channels=BGR,scale=1,"
        "mean=[104,117,123]', or a YAML or JSON file (fields: size, layout, channels, scale, mean, "
        "std, resize)",
    )
