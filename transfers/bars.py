"""Progress bars that fit a terminal of 80 columns: long names are cut, numbers never."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

NUMBERS = 60  # columns for bar, amount, rate and remaining time
SHORTEST = 12  # columns for a name


class Name(TextColumn):
    """The name of a task, cut at the end so that the rest has room."""

    def __init__(self, text: str, console: Console) -> None:
        width = max(SHORTEST, console.width - NUMBERS)
        super().__init__(text, table_column=Column(no_wrap=True, overflow="ellipsis"))
        self.width = width

    def render(self, task: Task) -> Text:
        text = super().render(task)
        text.truncate(self.width, overflow="ellipsis")
        return text


def display(console: Console, name: str, *columns: ProgressColumn) -> Progress:
    """Bars with these columns, which disappear at the end; none if the output is no terminal."""
    return Progress(
        Name(name, console),
        BarColumn(bar_width=min(40, max(6, (console.width - NUMBERS) // 3))),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
