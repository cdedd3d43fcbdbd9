"""The checks of an audit, one module for each subject; `core.audit.registry` lists them."""
