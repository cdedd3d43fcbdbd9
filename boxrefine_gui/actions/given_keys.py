"""GivenKeys: gives the actions the keys of the settings, and lets the user change, export and import them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from boxrefine_gui.canvas.canvas import Canvas
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.help import show_once
from boxrefine_gui.dialogs.keys_dialog import KeysDialog
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.key_files import export_keys, import_keys
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.level import Level
from boxrefine_gui.widgets.action_row import ActionRow, give_keys, readable
from boxrefine_gui.widgets.key_sets import KEY_SETS, with_settings
from boxrefine_gui.widgets.keys import Chosen, normal
from core.errors import KnownError
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.key_file import KeyFile


class GivenKeys:
    """Follows the settings. Keys that are no shortcuts of Qt's come from the canvas."""

    def __init__(
        self,
        parts: Parts,
        rows: Sequence[ActionRow],
        actions: Mapping[str, QAction],
        *,
        window: QWidget,
        canvas: Canvas,
        ask: Ask,
    ) -> None:
        self._parts, self._rows, self._actions = parts, list(rows), dict(actions)
        self._window, self._ask = window, ask
        self._given: object = None
        self._by_key: dict[str, QAction] = {}
        self.give()
        parts.session.settings_changed.connect(self.give)
        canvas.key_pressed.connect(self._press)

    def give(self) -> None:
        """Give the keys of the settings, and report those that cannot be used."""
        session = self._parts.session
        wanted = session.settings.key_set, session.settings.keys
        if wanted == self._given:
            return
        self._given = wanted
        rows, errors = with_settings(self._rows, session.settings)
        self._by_key = {normal(key): self._actions[row.id] for row in rows for key in row.keys}
        give_keys(rows, self._actions)
        owners = {normal(key): row.words for row in rows for key in row.keys if not row.id.startswith("category_")}
        session.set_keys({row.id: readable(row.keys[0]) for row in rows if row.keys}, owners)
        if errors:
            session.tell(_words_on_keys(errors), Level.WARNING)

    def show_dialog(self) -> None:
        """Show the dialog of the keys."""
        show_once(self._window.findChild(KeysDialog) or self._new_dialog())

    def _new_dialog(self) -> KeysDialog:
        settings = self._parts.session.settings
        dialog = KeysDialog(self._window, self._rows, settings, on_chosen=self._choose)
        dialog.export_wanted.connect(self._export)
        dialog.import_wanted.connect(self._import)
        return dialog

    def _press(self, key: str) -> None:
        if key in self._by_key:
            self._by_key[key].trigger()

    def _choose(self, key_set: str, keys: Chosen) -> None:
        kept = {id: tuple(held) for id, held in keys.items()}
        choose_settings(self._parts, replace(self._parts.session.settings, key_set=key_set, keys=kept))

    def _say(self, sentence: str) -> None:
        """Show a sentence in the dialog, or as a notice if that is closed by now."""
        dialog = self._window.findChild(KeysDialog)
        if dialog is not None:
            dialog.say(sentence)
        else:
            self._parts.session.tell(sentence)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, KnownError):
            self._say(str(error))
        else:
            self._parts.session.report(error)

    def _export(self) -> None:
        dialog = self._window.findChild(KeysDialog)
        path = self._ask.new_keys(dialog or self._window)
        if path is not None:
            said = tr("The keys are in {path}.", path=path)
            export_keys(self._parts, path, on_done=lambda: self._say(said), on_error=self._failed)

    def _import(self) -> None:
        dialog = self._window.findChild(KeysDialog)
        path = self._ask.keys(dialog or self._window)
        if path is not None:
            import_keys(self._parts, path, key_sets=KEY_SETS, on_done=self._imported, on_error=self._failed)

    def _imported(self, file: KeyFile) -> None:
        known = {action: keys for action, keys in file.keys.items() if action in self._actions}
        self._choose(file.key_set, known)
        dialog = self._window.findChild(KeysDialog)
        if dialog is not None:
            dialog.show_settings(self._parts.session.settings)
        _, errors = with_settings(self._rows, self._parts.session.settings)
        unknown = len(file.keys) - len(known)
        sentences = [tr("The keys of the file hold now.")]
        if unknown:
            sentences.append(
                tr_plural(
                    "{count} action of the file is not in this version.",
                    "{count} actions of the file are not in this version.",
                    unknown,
                )
            )
        self._say(" ".join([*sentences, *errors[:1]]))


def _words_on_keys(errors: Sequence[str]) -> str:
    if len(errors) == 1:
        return tr("{problem} The menu Help has all keys.", problem=errors[0])
    return tr_plural(
        "{problem} ({count} more) The menu Help has all keys.",
        "{problem} ({count} more) The menu Help has all keys.",
        len(errors) - 1,
        problem=errors[0],
    )
