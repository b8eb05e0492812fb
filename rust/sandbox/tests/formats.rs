//! Modules of formats: what programs print is what CPython 3.13 prints, and hostile data costs its own run.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{FileQuota, Limits, Program, SessionOptions, Termination};
use common::{sandbox, script, text};

/// Both are told by the same program, which has files.
fn prints(program: &str, wanted: &str) {
    let quota = FileQuota { bytes: 4 << 20, entries: 200 };
    let limits = common::limits().with_fuel(60_000_000_000).with_memory_bytes(256 << 20).with_output_bytes(1 << 20);
    let mut session = sandbox().session(SessionOptions::new().with_files(quota).with_limits(limits)).unwrap();
    let outcome = session.run(program).unwrap();
    let got: Vec<&str> = outcome.stdout.lines().collect();
    for (number, wanted) in wanted.lines().enumerate() {
        let got = got.get(number).copied().unwrap_or_default();
        assert_eq!(got, wanted, "line {}: {:?}", number + 1, outcome.termination);
    }
    assert_eq!(got.len(), wanted.lines().count(), "{:?}", outcome.termination);
    assert!(matches!(outcome.termination, Termination::Returned(_)), "{:?}", outcome.termination);
}

#[test]
fn mail_is_written_and_parsed_as_in_cpython() {
    prints(include_str!("programs/mail.py"), include_str!("programs/mail.txt"));
}

#[test]
fn archives_are_written_and_read_as_in_cpython_and_nothing_leaves_its_folder() {
    prints(include_str!("programs/archives.py"), include_str!("programs/archives.txt"));
}

#[test]
fn xml_is_parsed_built_and_written_as_in_cpython() {
    prints(include_str!("programs/xml_use.py"), include_str!("programs/xml_use.txt"));
}

#[test]
fn faulty_xml_is_refused_where_and_in_the_words_in_which_cpython_refuses_it() {
    prints(include_str!("programs/xml_faults.py"), include_str!("programs/xml_faults.txt"));
}

#[test]
fn xml_as_bytes_is_decoded_and_refused_as_in_cpython() {
    prints(include_str!("programs/xml_bytes.py"), include_str!("programs/xml_bytes.txt"));
}

#[test]
fn long_text_in_another_encoding_is_read_in_linear_time() {
    for encoding in ["iso-8859-1", "utf-16"] {
        let fuel = |length: usize| {
            let program = format!(
                "import xml.etree.ElementTree as x\n\
                 d = \"<?xml version='1.0' encoding='{encoding}'?><a>\" + 'x' * {length} + '</a>'\n\
                 print(len(x.fromstring(d.encode('{encoding}')).text))"
            );
            let outcome = script(&program);
            assert_eq!(outcome.stdout, format!("{length}\n"), "{:?}", outcome.termination);
            outcome.fuel_used
        };
        let (short, long) = (fuel(100_000), fuel(400_000));
        assert!(long < 5 * short, "{encoding}: {short} and {long}");
    }
}

#[test]
fn smaller_formats_are_those_of_cpython() {
    prints(include_str!("programs/formats.py"), include_str!("programs/formats.txt"));
}

#[test]
fn modules_that_cannot_work_here_say_so() {
    for (program, wanted) in [
        (
            "import importlib.metadata as m\ntry: m.version('pip')\nexcept m.PackageNotFoundError as e: print(e)",
            "No package metadata was found for pip\n",
        ),
        ("import importlib.metadata as m\nprint(list(m.distributions()))", "[]\n"),
        ("try: import http.client\nexcept ImportError as e: print(e)", "No module named 'http.client'\n"),
        ("import dbm\nprint(dbm.whichdb('none'))", "None\n"),
        ("from email.utils import make_msgid\nprint(make_msgid().endswith('@localhost>'))", "True\n"),
    ] {
        let outcome = script(program);
        assert_eq!(outcome.stdout, wanted, "{program}: {:?}", outcome.termination);
    }
}

/// Ends by one of the limits, or by an exception of the program's own.
fn ends(program: &str, wanted: &[&str]) {
    let limits = common::limits().with_fuel(4_000_000_000).with_memory_bytes(96 << 20);
    let outcome = sandbox().run(&Program::script(program).with_limits(limits)).unwrap();
    let got = text(&outcome);
    assert!(wanted.contains(&got.as_str()), "{program}: {got}, {:?}", outcome.termination);
    assert_eq!(text(&common::run("def f(x): return x", "7")), "7", "the next run is as ever");
}

const LIMITED: &[&str] = &["MemoryError", "out_of_memory", "out_of_fuel"];

#[test]
fn a_zip_bomb_costs_its_own_run() {
    let bomb = "import io, zipfile\n\
                b = io.BytesIO()\n\
                with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:\n\
                \x20   with z.open('bomb', 'w') as f:\n\
                \x20       for _ in range(200): f.write(bytes(1 << 20))\n";
    ends(&format!("{bomb}zipfile.ZipFile(b).read('bomb')"), LIMITED);
    ends(&format!("{bomb}zipfile.ZipFile(b).extractall()"), &["OSError", "FileNotFoundError", "out_of_fuel"]);
}

#[test]
fn many_entries_that_share_their_bytes_are_refused_as_overlapping() {
    ends(
        "import io, struct, zipfile\n\
         b = io.BytesIO()\n\
         with zipfile.ZipFile(b, 'w') as z:\n\
         \x20   z.writestr('a', b'x' * 1000)\n\
         \x20   z.writestr('b', b'y' * 1000)\n\
         data = b.getvalue()\n\
         at = data.rindex(b'PK\\x01\\x02')\n\
         data = data[:at + 42] + struct.pack('<L', 10) + data[at + 46:]\n\
         zipfile.ZipFile(io.BytesIO(data)).read('a')",
        &["BadZipFile"],
    );
}

#[test]
fn entities_that_multiply_are_refused_or_run_out() {
    let laughs = "ents = \"<!ENTITY l0 'lol'>\" + ''.join(\"<!ENTITY l%d '%s'>\" % (i, ('&l%d;' % (i - 1)) * 10) for i in range(1, 12))\n";
    for (module, call, refusal) in [
        ("xml.etree.ElementTree as x", "x.fromstring(d)", "ParseError"),
        ("xml.dom.minidom as x", "x.parseString(d)", "ExpatError"),
        ("xml.sax as x", "x.parseString(d, x.ContentHandler())", "SAXParseException"),
    ] {
        let program =
            |body: &str| format!("import {module}\n{laughs}d = '<!DOCTYPE a [' + ents + ']>' + \"{body}\"\n{call}");
        ends(&program("<a b='&l11;'/>"), &[refusal]);
        // Every piece of text calls a handler, so the fuel may end before the limit on amplification is reached.
        ends(&program("<a>&l11;</a>"), &[refusal, "out_of_fuel"]);
    }
    // Of one long entity, many times.
    ends(
        "import xml.etree.ElementTree as x\n\
         x.fromstring('<!DOCTYPE a [<!ENTITY e \"' + 'x' * 100_000 + '\">]><a>' + '&e;' * 10_000 + '</a>')",
        &["ParseError"],
    );
}

#[test]
fn deep_xml_and_long_chains_of_entities_end_as_outcomes() {
    let deep = "d = '<a>' * 200_000 + '</a>' * 200_000\n";
    let fine = &["None", "MemoryError", "out_of_memory", "out_of_fuel", "RecursionError"];
    ends(&format!("{deep}import xml.etree.ElementTree as x\nr = x.fromstring(d)\ndel r"), fine);
    ends(&format!("{deep}import xml.etree.ElementTree as x\nx.tostring(x.fromstring(d))"), fine);
    ends(&format!("{deep}import xml.dom.minidom as x\nx.parseString(d).toxml()"), fine);
    let chain = "import xml.etree.ElementTree as x\n\
                 e = \"<!ENTITY l0 'lol'>\" + ''.join(\"<!ENTITY l%d '&l%d;'>\" % (i, i - 1) for i in range(1, 50_000))\n";
    for body in ["<a>&l49999;</a>", "<a b='&l49999;'/>"] {
        ends(&format!("{chain}x.fromstring('<!DOCTYPE a [' + e + ']>' + \"{body}\")"), fine);
    }
    ends(
        "from xml.parsers import expat\np = expat.ParserCreate()\np.ElementDeclHandler = lambda n, m: None\n\
         p.Parse('<!DOCTYPE a [<!ELEMENT a ' + '(' * 100_000 + 'b' + ')' * 100_000 + '>]><a/>', True)",
        fine,
    );
}

#[test]
fn one_token_in_many_pieces_takes_time_in_proportion() {
    let fuel = |n: usize| {
        let program = format!(
            "from xml.parsers import expat\np = expat.ParserCreate()\np.Parse('<a b=\"')\n\
             for _ in range({n}): p.Parse('x' * 50)\np.Parse('\"/>', True)"
        );
        let limits = Limits::DEFAULT.with_fuel(1 << 45);
        let outcome = sandbox().run(&Program::script(&program).with_limits(limits)).unwrap();
        assert_eq!(text(&outcome), "None", "{:?}", outcome.termination);
        outcome.fuel_used as f64
    };
    assert!(fuel(8_000) < 6.0 * fuel(2_000));
}

#[test]
fn parsers_that_their_own_handlers_drive_stay_inside() {
    for (program, wanted) in [
        ("def h(*a): p.Parse('<b/>')\np.StartElementHandler = h\np.Parse('<a/>', True)", "RuntimeError"),
        (
            "def h(*a): p.ExternalEntityParserCreate('x').Parse('<q/>', True)\np.CharacterDataHandler = h\n\
             p.Parse('<a>x</a>', True)",
            "None",
        ),
        (
            "def h(*a): p.StartElementHandler = None; p.buffer_text = False; p.buffer_size = 1\np.buffer_text = True\n\
             p.StartElementHandler = h\np.Parse('<a>x<b/>y</a>', True)",
            "None",
        ),
        (
            "def h(*a): raise KeyError\np.StartElementHandler = h\n\
             try: p.Parse('<a><b/>')\nexcept KeyError: pass\nelse: raise AssertionError('no handler was called')\n\
             try: p.Parse('</a>', True)\nexcept expat.ExpatError: pass",
            "None",
        ),
    ] {
        ends(&format!("from xml.parsers import expat\np = expat.ParserCreate()\n{program}"), &[wanted]);
    }
}
