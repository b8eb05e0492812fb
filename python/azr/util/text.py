"""What texts can be written at all."""


def is_text(text: str) -> bool:
    """Whether UTF-8 can encode it: surrogates cannot."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
