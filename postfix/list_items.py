"""Split a value of main.cf into the items that Postfix splits it into."""

__all__ = ["literal_items", "split_list"]


def split_list(value: str) -> list[str]:
    """Split a value as Postfix splits lists: at blanks and commas, but not inside `{ ... }`."""
    items, depth = [""], 0
    for character in value:
        depth += (character == "{") - (character == "}")
        if depth <= 0 and character in ", \t\r\n":
            items.append("")
        else:
            items[-1] += character
    return [item for item in items if item]


def literal_items(value: str) -> list[str]:
    """Split a list, and leave out the items that hold something only the host knows."""
    return [item for item in split_list(value) if "$" not in item]
