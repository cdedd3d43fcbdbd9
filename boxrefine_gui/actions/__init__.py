"""The action table: menus, toolbar, shortcuts and the help are made of it."""
