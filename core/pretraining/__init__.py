"""Training of the weights that ship, from labelled sets; the product does not import it."""
