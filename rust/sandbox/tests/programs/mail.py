"""E-mail: written, parsed, changed and written again. What is printed is what CPython 3.13 prints."""
import email
import io
from datetime import datetime, timezone
from email import encoders, policy
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesFeedParser, BytesParser, HeaderParser
from email.utils import format_datetime, formataddr, getaddresses, make_msgid, parseaddr, parsedate_to_datetime

message = EmailMessage()
message["Subject"] = "Grüße: a subject that is long enough to be folded on more than one line, with ünïcode"
message["From"] = Address("Ann Böe", "ann", "example.org")
message["To"] = (Address("Bob", "bob", "example.org"), Address("", "c", "example.net"))
message["Date"] = datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc)
message["Message-ID"] = "<1.2.3@example.org>"
message.set_content("Hello\n\nThis is a line.\n" + "x" * 90 + "\nend ü\n")
message.add_alternative("<p>Hello <b>there</b></p>\n", subtype="html")
message.add_attachment(bytes(range(64)), maintype="application", subtype="octet-stream", filename="data ü.bin")
message.add_attachment("a,b\n1,2\n", subtype="csv", filename="table.csv")
for number, part in enumerate(message.walk()):
    if part.is_multipart():
        part.set_boundary(f"==boundary-{number}==")
text = message.as_bytes()
print(text.decode("ascii"))

parsed = BytesParser(policy=policy.default).parsebytes(text)
print(parsed["subject"], "|", parsed["from"].addresses[0].display_name, "|", parsed["to"].addresses)
print(parsed["date"].datetime, parsed.get_body(("html",)).get_content())
for part in parsed.iter_attachments():
    print(part.get_filename(), part.get_content_type(), part.get_content_disposition(), part.get_content())
print(parsed.as_bytes() == text, [part.get_content_type() for part in parsed.walk()])

old = MIMEMultipart("mixed", boundary="BOUNDARY")
old["Subject"] = Header("Zażółć gęślą jaźń", "utf-8")
old.attach(MIMEText("plain text ąę", "plain", "utf-8"))
old.attach(MIMEApplication(b"\x00\x01binary", "x-thing", name="thing"))
old.attach(MIMEImage(b"\x89PNG\r\n\x1a\n0000", "png"))
print(old.as_string())
print(make_header(decode_header(old["Subject"])), decode_header("=?iso-8859-1?q?p=F6stal?= <a@b>"))

feed = BytesFeedParser()
for piece in (b"From: a@b\r\nSub", b"ject: in pieces\r\n", b"\r\nbody\r\n"):
    feed.feed(piece)
fed = feed.close()
print(fed["subject"], repr(fed.get_payload()), fed.items())
print(HeaderParser().parsestr("A: 1\nB: two\n lines\n\nbody").items())

broken = email.message_from_string(
    "Content-Type: multipart/mixed; boundary=X\n\n--X\nContent-Transfer-Encoding: base64\n\n!!!=\n", policy=policy.default
)
print([type(defect).__name__ for defect in broken.defects], broken.is_multipart())
print(parseaddr('"A, B" <a@b.c>'), formataddr(("Zoë", "z@e.org")), getaddresses(["a@b, C <c@d>", "x"]))
print(parsedate_to_datetime("Mon, 20 Nov 1995 19:12:08 -0500"), format_datetime(datetime(2000, 1, 1)))
print(make_msgid("id", "example.org").endswith(".id@example.org>"))
try:
    EmailMessage()["Subject"] = "two\nlines"
except ValueError as error:
    print(error)
part = email.mime.base.MIMEBase("audio", "x") if hasattr(email, "mime") else None
part.set_payload(b"\xff\xfe")
encoders.encode_base64(part)
print(part.as_string())
out = io.BytesIO()
email.generator.BytesGenerator(out, maxheaderlen=40).flatten(fed)
print(out.getvalue())
