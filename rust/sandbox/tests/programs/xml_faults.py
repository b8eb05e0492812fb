"""Documents that Expat refuses, and some that it takes: where and in which words. What is printed is what CPython 3.13 prints."""
import xml.etree.ElementTree as ET
from xml.parsers import expat

DOCUMENTS = [
    '', ' ', '<a>', '<a></b>', '<a/><b/>', '<a/>text', 'hello', '123', '{', '&', '<a b></a>', '<a b=1/>',
    "<a b='1' b='2'/>", "<a b='<'/>", "<a b='1'c='2'/>", '<a>&undefined;</a>', '<a>&#0;</a>', '<a>&#xD800;</a>',
    '<a>&lt</a>', '<a>&;</a>', '<a>& </a>', '<a>]]></a>', "  <?xml version='1.0'?><a/>",
    "<?xml version='1.0' encoding='utf-16'?><a/>", "<?xml encoding='utf-8'?><a/>", '<?xml version=1.0?><a/>',
    "<?XML version='1.0'?><a/>", '<a><?xml x?></a>', '<a><!-- -- --></a>', '<a><!-x></a>', '<a><![CDATA[x</a>',
    '<a:b/>', "<a xmlns:x=''/>", "<a xmlns:xml='u'/>", "<a xmlns:xmlns='u'/>", "<a x:b='1'/>", '<:a/>', '<a:b:c/>',
    "<a \n b='1' / >", '<1/>', '< a/>', '<a\x01/>', '<a>\x01</a>', '<a>\n\n  x&bad;</a>', '<!DOCTYPE a><b/><c',
    "<!DOCTYPE a [<!ENTITY x '&x;'>]><a>&x;</a>", "<!DOCTYPE a [<!ENTITY x '<b>'>]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY x '</a>'>]><a>&x;</a>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'f'>]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY x SYSTEM 'f'>]><a b='&x;'></a>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'f' NDATA n>]><a>&x;</a>",
    '<!DOCTYPE a [ junk ]><a/>', '<!DOCTYPE a [<!ELEMENT a (b,c|d)>]><a/>', "<!DOCTYPE a [<!ENTITY x '%y;'>]><a/>",
    '<!DOCTYPE', '<!DOCTYPE a', '<!DOCTYPE a [', '<!DOCTYPE a []', '<a></a', '<a></a >x', '<a', '<a b', "<a b='", '<',
    '<!', '<!-', '<!--', '<?', '<?x', '<a><b></a></b>', '<a>\n<b>\n</c></a>', "<a><b c='&q;'/></a>",
    '<!doctype a><a/>',
    "<!DOCTYPE points [\n<!ENTITY % user-entities SYSTEM 'user-entities.xml'>\n%user-entities;\n]>\n<document>&entity;</document>",
    "<a xmlns='}'/>", '\xe9<a/>', '<a>\ufffe</a>', "<a b='x\ny &#10; z'/>",
    "<a xmlns:x='u' xmlns:y='u' x:q='1' y:q='2'/>", "<a/><?xml version='1.0'?>", '<a/><!DOCTYPE a>', '<a></a><',
    '<a/>&amp;', ']]>', '<a>]]</a>', '<a>]</a>]', '<a><![CDATA[]]]]></a>', '<a><![CDATA[ ]]]]><![CDATA[>]]></a>',
    '<a>\r\nx\ry\n</a>', "<!DOCTYPE a PUBLIC '-//x//y' 's' ><a/>", "<!DOCTYPE a PUBLIC '-//x^y' 's'><a/>",
    '<!DOCTYPE a SYSTEM><a/>',
    "<!DOCTYPE a [<!ATTLIST a b CDATA 'dflt' c (x|y) 'y' d NMTOKENS ' p  q '>]><a c='  x '/>",
    "<!DOCTYPE a [<!ENTITY e 'v<b/>w'><!ENTITY f '&e;&e;'>]><a q='&#38;'>&f;</a>",
    "<!DOCTYPE a [<!ENTITY e '1&#38;lt;2'>]><a b='&e;'>&e;</a>",
]
HANDLERS = """
    StartElementHandler EndElementHandler ProcessingInstructionHandler CharacterDataHandler CommentHandler XmlDeclHandler
    StartCdataSectionHandler EndCdataSectionHandler StartDoctypeDeclHandler EndDoctypeDeclHandler UnparsedEntityDeclHandler
    NotationDeclHandler ElementDeclHandler AttlistDeclHandler SkippedEntityHandler
""".split()


def element_tree(data):
    try:
        return ET.tostring(ET.fromstring(data), "unicode")
    except ET.ParseError as error:
        return error.msg, error.code, error.position


def events(data):
    parser = expat.ParserCreate()
    log = []
    for name in HANDLERS:
        setattr(parser, name, lambda *args, name=name: log.append((name[:-7], *args, parser.CurrentLineNumber)))
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
        log.append(parser.CurrentByteIndex)
    except expat.error as error:
        log.append((error.code, error.lineno, error.offset, parser.ErrorByteIndex, parser.ErrorCode))
    return log


def in_pieces(data):
    """One byte at a time, with names in namespaces, and nothing but the default handler."""
    parser = expat.ParserCreate(namespace_separator=" ")
    rest = []
    parser.DefaultHandler = rest.append
    try:
        for place in range(len(data)):
            parser.Parse(data[place:place + 1])
        parser.Parse(b"", True)
    except expat.error as error:
        rest.append(f" ! {error}")
    return "".join(rest)


for document in DOCUMENTS:
    data = document.encode()
    print(ascii(document), "->", ascii(element_tree(document)))
    if element_tree(data) != element_tree(document):
        print("    as bytes", ascii(element_tree(data)))
    print("   ", ascii(events(data)))
    if "<!DOCTYPE" not in document:
        print("   ", ascii(in_pieces(data)))
