"""Documents as bytes: their encodings, their declarations, and their first pieces. What is printed is what CPython 3.13 prints."""
import xml.etree.ElementTree as ET
from xml.parsers import expat

DOCUMENTS = [
    '<?xml version="日本語日本語"?><a/>', '<?xml version="1.0" encoding="UTF-16"?><a>é日</a>', '<?xml version="éééé"?>',
    '<?xml version="x y"?><a/>', '<?xml version="1.0" encoding="UTF-8\n"?><a/>', '<?xml version="1.0"?>\n<a>é</b>',
    '\ufeff<a b="1" b="2"/>', '\ufeff<a>\n<b></a>', '<a>é日𝄞</b>',
]
ENCODINGS = ["utf-8", "utf-16-le", "utf-16-be", "utf-16"]


def read(data, encoding=None):
    """The element, or the code and the place of the error."""
    try:
        root = ET.XML(data, ET.XMLParser(encoding=encoding))
    except ET.ParseError as error:
        return error.code, error.position
    return ET.tostring(root, "unicode")


def first_event_at(data):
    """How many bytes have to come before the first element or error is seen."""
    parser = expat.ParserCreate()
    seen = []
    parser.StartElementHandler = lambda name, attributes: seen.append(name)
    for at in range(len(data)):
        try:
            parser.Parse(data[at:at + 1])
        except expat.error as error:
            return at + 1, error.code
        if seen:
            return at + 1, seen
    return None


for document in DOCUMENTS:
    print(ascii(document))
    # A second byte-order mark is a character of names since XML 1.0's fifth edition, which Expat does not follow.
    for encoding in ENCODINGS[:3] if document[0] == "\ufeff" else ENCODINGS:
        print("   ", encoding, ascii(read(document.encode(encoding))))
    try:
        latin = document.encode("latin-1")
    except UnicodeError:
        continue
    print("    iso-8859-1", ascii(read(latin, "iso-8859-1")))
for data in [b"<a>", b"<a/>", b">", b"<<", b"<1", b" <a>", b"text", b"\xef\xbb\xbf<a>", b"\xef\xbb<", b"\xff\xfe<\0a\0>\0",
             b"<\0a\0>\0", b"\0<\0a\0>", b"<?xml version='1.0'?><a>", b"<?x?><a>"]:  # fmt: skip
    print(data, first_event_at(data))


def raising(*_):
    raise ZeroDivisionError


parser = expat.ParserCreate()
parser.StartElementHandler = raising
for data in ["<a><b/>", "</a>", ""]:
    try:
        print(parser.Parse(data, not data))
    except (expat.error, ZeroDivisionError) as error:
        print(repr(error), parser.ErrorCode, parser.ErrorLineNumber, parser.ErrorColumnNumber, parser.CurrentByteIndex)

parser = expat.ParserCreate()
at = lambda *event: print(event, parser.GetInputContext(), parser.CurrentByteIndex)
parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = at
parser.Parse("<r>  <a>xx")
parser.Parse("y</a></r>", True)
