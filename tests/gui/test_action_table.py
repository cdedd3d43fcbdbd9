"""The action table: each row has an id and keys that no other row has."""

from __future__ import annotations

from boxrefine_gui.app import App


def test_every_row_of_the_action_table_has_its_own_key(closed_app: App) -> None:
    rows_of: dict[str, list[str]] = {}
    for row in closed_app.window.rows:
        for key in row.keys:
            rows_of.setdefault(key, []).append(row.id)
    shared = {key: ids for key, ids in rows_of.items() if len(ids) > 1}
    assert shared == {}, "give one of these rows of boxrefine_gui/actions/ another key"


def test_every_row_of_the_action_table_has_its_own_id(closed_app: App) -> None:
    ids = [row.id for row in closed_app.window.rows]
    shared = {id for id in ids if ids.count(id) > 1}
    assert shared == set(), "give one of these rows of boxrefine_gui/actions/ another id, or its action is lost"
