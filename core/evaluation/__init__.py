"""Measuring refiners on labelled sets; the product does not import it."""
