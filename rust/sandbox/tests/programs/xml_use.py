"""XML: parsed by every way that the library has, built, changed and written. What is printed is what CPython 3.13 prints."""
import io
import xml.dom.minidom
import xml.dom.pulldom
import xml.etree.ElementTree as ET
import xml.sax
import xml.sax.handler
from xml.parsers import expat
from xml.sax.saxutils import XMLGenerator, escape, quoteattr, unescape
from xml.sax.xmlreader import AttributesImpl

DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE root [
<!-- c -->
<?pi in dtd?>
<!ENTITY internal "Some <b>bold</b> text">
<!NOTATION gif SYSTEM "viewer">
<!NOTATION p PUBLIC "-//a//b">
<!ENTITY pic SYSTEM "pic.gif" NDATA gif>
<!ENTITY ext PUBLIC "pub  id" "ext.xml">
<!ELEMENT root (a|(b,c?)+)*>
<!ELEMENT m (#PCDATA|x|y)*>
<!ELEMENT e EMPTY>
<!ATTLIST root id ID #REQUIRED kind (x|y) "x" ref IDREFS #IMPLIED fix CDATA #FIXED "f" n NOTATION (gif|p) #IMPLIED>
]>
<root id="1" xmlns="urn:d" xmlns:q="urn:q"><q:a q:z="1" y=" 2 ">t&internal;&amp;&#x41;</q:a><![CDATA[<raw>]]>
<?target data here?><!-- comment --></root>
<!-- after -->
"""
HANDLERS = """
    StartElementHandler EndElementHandler ProcessingInstructionHandler CharacterDataHandler CommentHandler XmlDeclHandler
    StartCdataSectionHandler EndCdataSectionHandler StartDoctypeDeclHandler EndDoctypeDeclHandler UnparsedEntityDeclHandler
    EntityDeclHandler NotationDeclHandler ElementDeclHandler AttlistDeclHandler SkippedEntityHandler
    StartNamespaceDeclHandler EndNamespaceDeclHandler
""".split()

# Expat: every handler, with and without namespaces.
for separator in (None, " ", ""):
    for prefixes in (False, True):
        parser = expat.ParserCreate(namespace_separator=separator)
        parser.namespace_prefixes = prefixes
        parser.SetBase("/base")
        log = []
        for name in HANDLERS:
            setattr(parser, name, lambda *args, name=name: log.append((name[:-7], *args)))
        parser.Parse(DOCUMENT, True)
        for row in log if not prefixes else log[-14:]:
            print(row)
parser = expat.ParserCreate()


def external(context, base, system, public):
    print("external", context, base, system, public)
    inner = parser.ExternalEntityParserCreate(context)
    inner.Parse("<?xml encoding='utf-8'?>inner <i/> x", True)
    return 1


parser.ExternalEntityRefHandler = external
parser.StartElementHandler = lambda *args: print(args)
parser.CharacterDataHandler = print
parser.Parse(DOCUMENT.replace("&internal;", "&ext;"), True)
parser = expat.ParserCreate()
parser.ordered_attributes, parser.specified_attributes = 1, True
parser.StartElementHandler = lambda *args: print(args)
parser.Parse("<!DOCTYPE a [<!ATTLIST a d CDATA 'e'>]><a z='1' b='2'/>", True)
parser = expat.ParserCreate()
parser.Parse("<a/>", True)
for call in (lambda: parser.Parse("<b/>", True), lambda: expat.ParserCreate(encoding=42), lambda: expat.ParserCreate(namespace_separator="ab")):
    try:
        call()
    except (expat.error, TypeError, ValueError) as error:
        print(type(error).__name__, error)

# ElementTree: paths, changes, writing, events, targets.
root = ET.fromstring(DOCUMENT)
print(root.tag, root.attrib, [child.tag for child in root.iter()], root.findall("q:a", {"q": "urn:q"})[0].items())
ET.register_namespace("q", "urn:q")
print(ET.tostring(root, "unicode"))
catalog = ET.XML("<c><book id='1'><t>A</t><p>3</p></book><book id='2'><t>B</t><p>5</p></book><x/></c>")
print([b.findtext("t") for b in catalog.findall("book")], catalog.find("book[@id='2']/p").text, catalog.find(".//book[p='3']").get("id"))
print([e.tag for e in catalog.findall("./*")], [e.text for e in catalog.iterfind(".//t")], catalog.find("nothing"), len(catalog))
new = ET.SubElement(catalog, "book", {"id": "3"}, kind="<&\">")
new.text, new.tail = "text ü <", "tail"
catalog.remove(catalog.find("x"))
ET.indent(catalog)
tree = ET.ElementTree(catalog)
tree.write("out.xml", encoding="utf-8", xml_declaration=True)
print(open("out.xml", encoding="utf-8").read())
for encoding in ("us-ascii", "utf-16", "latin-1", "cp1252", "koi8-r", "iso-8859-15"):
    written = ET.tostring(ET.XML("<a b='\xe9'>t\xe9</a>") if encoding != "koi8-r" else ET.XML("<a>\u0418</a>"), encoding)
    print(encoding, written, ascii(ET.tostring(ET.fromstring(written), "unicode")))
for encoding in ("undefined", "xxx", "utf-16-le", "shift_jis"):
    try:
        ET.XML(f"<?xml version='1.0' encoding='{encoding}'?><a/>".encode())
    except Exception as error:
        print(encoding, type(error).__name__, error)
print(ET.tostring(ET.XML("<a><b/>x<c>y</c></a>"), method="text"), ET.tostring(ET.XML("<p><br/>x</p>"), method="html"))
print(ET.canonicalize("<a  z='1' b='2'><!-- c --><b/></a>"), [t for t in ET.XML("<a>1<b>2</b>3</a>").itertext()])
for event, element in ET.iterparse("out.xml", events=("start", "end")):
    print(event, element.tag, end=" ")
print()
puller = ET.XMLPullParser(("start", "end", "start-ns", "end-ns", "comment", "pi"))
for start in range(0, len(DOCUMENT), 100):
    puller.feed(DOCUMENT[start:start + 100])
puller.close()
print([(event, value if isinstance(value, tuple) or value is None else value.text) for event, value in puller.read_events()])
puller = ET.XMLPullParser(("start", "end"))
for piece in ("<a><b", "></b"):
    puller.feed(piece)
puller.flush()
print([(event, element.tag) for event, element in puller.read_events()])
parser = ET.XMLParser()
parser.entity["nb"] = "NB"
parser.feed("<!DOCTYPE a PUBLIC 'x' 'y'><a>&nb;</a>")
print(ET.tostring(parser.close()))


class Target:
    def doctype(self, *args):
        print("doctype", args)

    def start_ns(self, prefix, uri):
        print("ns", (prefix, uri))

    def start(self, tag, attributes):
        print(tag, attributes)

    def close(self):
        return 7


parser = ET.XMLParser(target=Target())
parser.feed("<!DOCTYPE a PUBLIC 'x' 'y'><a b='1' xmlns='u'/>")
print(parser.close(), ET.iselement(root), ET.dump(ET.Comment("c")))

# minidom, sax and pulldom.
document = xml.dom.minidom.parseString(DOCUMENT)
print(document.toxml())
print(document.documentElement.toprettyxml(indent="  "))
element = document.documentElement
print(element.getAttribute("kind"), element.getElementsByTagNameNS("urn:q", "a")[0].firstChild.data, document.doctype.entities.length)
made = xml.dom.minidom.getDOMImplementation().createDocument(None, "made", None)
made.documentElement.setAttribute("a", "<\"")
made.documentElement.appendChild(made.createTextNode("t & u"))
made.documentElement.appendChild(made.createCDATASection("<c>"))
print(made.toxml("utf-8"), made.documentElement.cloneNode(True).toxml())


class Handler(xml.sax.ContentHandler):
    def startElement(self, name, attributes):
        print("start", name, dict(attributes), end=" ")

    def startElementNS(self, name, qname, attributes):
        print("start", name, qname, dict(attributes), end=" ")

    def characters(self, content):
        print(repr(content), end=" ")

    def processingInstruction(self, target, data):
        print(target, data)


xml.sax.parseString(DOCUMENT.encode(), Handler())
reader = xml.sax.make_parser()
reader.setFeature(xml.sax.handler.feature_namespaces, True)
reader.setContentHandler(Handler())
reader.parse(io.BytesIO(DOCUMENT.encode()))
try:
    xml.sax.parseString(b"<a><b></a>", Handler())
except xml.sax.SAXParseException as error:
    print(error, error.getLineNumber(), error.getColumnNumber())
out = io.StringIO()
generator = XMLGenerator(out)
generator.startDocument()
generator.startElement("a", AttributesImpl({"b": "<"}))
generator.characters("x & y")
generator.endElement("a")
print(out.getvalue(), escape("<&>"), quoteattr("a'\""), unescape("&lt;"))
for event, node in xml.dom.pulldom.parseString("<a>x<b/></a>"):
    print(event, node.nodeName, end=" ")
print()

# Entities that multiply, deep documents, and long chains of entities.
entities = "<!ENTITY l0 'lol'>" + "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 10))
for body in ("<a>&l9;</a>", "<a b='&l9;'/>"):
    try:
        ET.fromstring(f"<!DOCTYPE a [{entities}]>{body}")
    except ET.ParseError as error:
        print(error.msg.partition(":")[0], error.code)
deep = ET.fromstring("<a>" * 20_000 + "</a>" * 20_000)
depth = 0
while len(deep):
    deep, depth = deep[0], depth + 1
print(depth)
chain = "<!ENTITY l0 'lol'>" + "".join(f"<!ENTITY l{i} '&l{i - 1};'>" for i in range(1, 3_000))
print(ET.fromstring(f"<!DOCTYPE a [{chain}]><a b='&l999;'>&l1999;</a>").items())
