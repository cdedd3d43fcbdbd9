"""CategoryWrites: the writes of a project that change its list of categories."""

from __future__ import annotations

from collections.abc import Sequence

from core.categories import category_key, is_color, same_name
from core.errors import BadInputError
from core.records import Category, Changes, Step, StepKind
from core.store.categories import check_name, delete_boxes, move_boxes, move_row, set_key
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.suggestions import Suggestions
from core.translation import tr


class CategoryWrites(Suggestions):
    """The operations on categories of one project; those on boxes are in the subclass."""

    def add_categories(self, names: Sequence[str]) -> Changes:
        """Add those categories that the project does not have yet, in this order, to set it up; not undoable.

        Steps that were undone before cannot be redone afterwards. Raises BadInputError for an empty name, and then adds
        none.
        """
        self.refuse_read_only()
        rows = [(check_name(name),) for name in names]
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            before = self._count("categories")
            self._undo_log.forget_undone()  # redo could restore a category under a name that is taken now
            self._db.conn.executemany("INSERT INTO categories (name) VALUES (?) ON CONFLICT (name) DO NOTHING", rows)
            return Changes(Step(StepKind.ADD_CATEGORIES), categories=self._count("categories") > before)

    def add_category(self, name: str) -> Category:
        """Return the category of this name, adding it if there is none; case makes no difference.

        Raises BadInputError for an empty name.
        """
        name = check_name(name)
        with self._operation(Step(StepKind.ADD_CATEGORY, name=name)) as operation:
            categories = {category.id: category for category in self.categories()}
            same = same_name(name, {id: category.name for id, category in categories.items()})
            if same is not None:
                return categories[same]
            return Category(operation.insert("categories", {"name": name}), name)

    def rename_category(self, id: int, name: str) -> Changes:
        """Rename a category. Raises BadInputError if the id is unknown or the name is empty or taken."""
        name = check_name(name)
        with self._operation(Step(StepKind.RENAME_CATEGORY, name=name)) as operation:
            others = {category.id: category.name for category in self.categories() if category.id != id}
            same = same_name(name, others)
            if same is not None:
                name = others[same]
                raise BadInputError(tr("There is a category “{name}” already: choose another name.", name=name))
            row = self._row(operation, "categories", id)
            if row["name"] != name:
                operation.update("categories", row, name=name)
            return operation.changes

    def move_category(self, id: int, *, row: int) -> Changes:
        """Move a category to the row `row` of the order, counted from 0; ids and boxes stay.

        Raises BadInputError if the id is unknown.
        """
        with self._operation(Step(StepKind.MOVE_CATEGORY, name=self._name_of(id))) as operation:
            self._row(operation, "categories", id)
            move_row(operation, self._db, id, row=row)
            return operation.changes

    def set_category_color(self, id: int, color: str) -> Changes:
        """Give a category a color (`#RRGGBB`), or the automatic one (empty).

        Raises BadInputError for any other text.
        """
        if color and not is_color(color):
            example = "#E69F00"  # untranslated: a value
            raise BadInputError(tr("“{color}” is no colour: choose one like {example}.", color=color, example=example))
        with self._operation(Step(StepKind.CATEGORY_COLOR, name=self._name_of(id))) as operation:
            row = self._row(operation, "categories", id)
            if (row["color"] or "") != color:
                operation.update("categories", row, color=color or None)
            return operation.changes

    def set_category_key(self, id: int, key: str) -> Changes:
        """Give a category a key, a letter or digit, or the automatic one (empty); a category that had it loses it.

        Raises BadInputError for any other text.
        """
        if key and not category_key(key):
            raise BadInputError(tr("“{key}” is no key of a category: choose a letter or a digit.", key=key))
        with self._operation(Step(StepKind.CATEGORY_KEY, name=self._name_of(id))) as operation:
            set_key(operation, self._db, self._row(operation, "categories", id), category_key(key))
            return operation.changes

    def merge_category(self, id: int, *, into: int) -> Changes:
        """Move all boxes of a category to another one and delete it, as one undo step.

        Raises BadInputError if an id is unknown or both are the same.
        """
        if id == into:
            raise BadInputError(tr("A category cannot be merged into itself: choose another one."))
        step = Step(StepKind.MERGE_CATEGORY, name=self._name_of(id), into=self._name_of(into))
        with self._operation(step) as operation:
            row = self._row(operation, "categories", id)
            self._row(operation, "categories", into)
            move_boxes(operation, self._db, id, into=into)
            operation.remove("categories", row)
            return operation.changes

    def delete_category(self, id: int) -> Changes:
        """Delete a category and all its boxes, as one undo step. Raises BadInputError if the id is unknown."""
        step = Step(StepKind.DELETE_CATEGORY, self.category_use(id).boxes, self._name_of(id))
        with self._operation(step) as operation:
            row = self._row(operation, "categories", id)
            delete_boxes(operation, self._db, id)
            operation.remove("categories", row)  # last, because boxes refer to it; undo restores it first
            return operation.changes

    def _name_of(self, category_id: int) -> str:
        return next((category.name for category in self.categories() if category.id == category_id), "")

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
