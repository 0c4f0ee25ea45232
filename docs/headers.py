"""What public headers say of themselves."""
import re
import sys


def first_sentence(path):
    with open(path, encoding="utf-8") as file:
        comment = re.match(r"/\* rask/\w+\.h: (.*?)(?:\.\s|\*/)", file.read(), re.S)
    if not comment:
        sys.exit(f"{path}: does not begin with a comment that says what it is")
    return " ".join(comment.group(1).replace(" *", " ").split()).rstrip(".")
