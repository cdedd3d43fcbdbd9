"""The action table: menus, toolbar, shortcuts and the help are built from it."""
