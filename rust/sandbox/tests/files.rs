//! Files in memory: what programs see, what comes back, and every way around the quota.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Error, FileQuota, Session, SessionOptions, SessionRun};
use common::sandbox;

const QUOTA: FileQuota = FileQuota { bytes: 100_000, entries: 50 };

fn session() -> Session {
    sandbox().session(SessionOptions::new().with_files(QUOTA)).unwrap()
}

fn run(session: &mut Session, source: &str) -> String {
    common::text(&session.run(source).unwrap())
}

#[test]
fn files_are_read_by_every_way_that_python_has() {
    let mut session = session();
    let run_with = SessionRun::new("open('in.csv').read()").with_file("in.csv", "a,b\n1,2\n").with_file("d/e.txt", "x");
    assert_eq!(common::text(&session.run_with(&run_with).unwrap()), "'a,b\\n1,2\\n'");
    for (source, wanted) in [
        ("import csv\nlist(csv.reader(open('/in.csv', newline='')))", "[['a', 'b'], ['1', '2']]"),
        ("import pathlib\npathlib.Path('d/e.txt').read_text()", "'x'"),
        ("import io\nio.open('in.csv', 'rb').read(3)", "b'a,b'"),
        ("import os\nsorted(os.listdir('/'))", "['d', 'in.csv', 'tmp']"),
        ("import os\nos.path.exists('d'), os.path.isfile('d/e.txt'), os.path.getsize('in.csv')", "(True, True, 8)"),
        ("import glob\nglob.glob('**/*.txt', recursive=True)", "['d/e.txt']"),
        ("import pathlib\n[str(p) for p in pathlib.Path('.').rglob('*.csv')]", "['in.csv']"),
        ("open('none')", "FileNotFoundError"),
        ("open('d')", "IsADirectoryError"),
        ("open('in.csv/x')", "NotADirectoryError"),
    ] {
        assert_eq!(run(&mut session, source), wanted, "{source}");
    }
}

#[test]
fn files_are_copied_with_what_is_known_of_them() {
    let mut session = session();
    let run_with = SessionRun::new(
        "import os, shutil\nshutil.copy2('a', 'b')\nshutil.copytree('d', 'e')\n\
         (open('b').read(), os.listdir('e'), os.stat('a').st_mtime_ns == os.stat('a').st_mtime * 10**9, os.umask(0), os.umask(18))",
    );
    let run_with = run_with.with_file("a", "text").with_file("d/f", "x");
    assert_eq!(common::text(&session.run_with(&run_with).unwrap()), "('text', ['f'], True, 18, 0)");
}

#[test]
fn what_programs_write_comes_back_and_lasts_for_the_session() {
    let mut session = session();
    let source = "import json, os, tempfile, shutil\n\
                  os.makedirs('out/deep')\n\
                  with open('out/deep/a.json', 'w') as f: json.dump([1, 2], f)\n\
                  with open('log', 'a') as f: f.write('one\\n')\n\
                  with tempfile.NamedTemporaryFile('w', delete=False) as t: t.write('gone')\n\
                  shutil.copy('log', 'copy')\n\
                  os.rename('copy', 'moved')";
    assert_eq!(run(&mut session, source), "None");
    run(&mut session, "with open('log', 'a') as f: f.write('two\\n')");
    let files = session.files().unwrap();
    let found: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
    assert_eq!(found, [("/log", &b"one\ntwo\n"[..]), ("/moved", b"one\n"), ("/out/deep/a.json", b"[1, 2]")]);
}

#[test]
fn a_module_among_the_files_can_be_imported() {
    let mut session = session();
    let run_with =
        SessionRun::new("import helper\nhelper.f(2)").with_file("helper.py", "def f(n):\n    return n * 21\n");
    assert_eq!(common::text(&session.run_with(&run_with).unwrap()), "42");
}

#[test]
fn no_file_of_one_session_or_branch_is_in_another() {
    let mut first = session();
    run(&mut first, "open('secret', 'w').write('CANARY')");
    let mut branch = first.branch();
    run(&mut branch, "open('secret', 'w').write('OTHER')\nopen('mine', 'w').write('1')");
    assert_eq!(first.files().unwrap()["/secret"], b"CANARY");
    assert_eq!(first.files().unwrap().len(), 1);
    assert!(session().files().unwrap().is_empty());
    assert_eq!(common::text(&common::script("open('secret')")), "FileNotFoundError");
}

#[test]
fn bytes_are_bounded_by_every_route() {
    for source in [
        "open('a', 'wb').write(b'x' * 200_000)",
        "f = open('a', 'wb')\nf.seek(200_000)\nf.write(b'x')\nf.flush()",
        "f = open('a', 'wb')\nf.truncate(200_000)",
        "import os\nopen('a', 'w').close()\nos.truncate('a', 200_000)",
        "import os\nfd = os.open('a', os.O_CREAT | os.O_RDWR)\nfor _ in range(300): os.write(fd, b'x' * 1000)",
        "f = open('a', 'a')\nfor _ in range(300): f.write('x' * 1000)\nf.flush()",
        "import pathlib\npathlib.Path('a').write_bytes(b'x' * 200_000)",
        "import shutil\nopen('a', 'wb').write(b'x' * 60_000)\nshutil.copy('a', 'b')",
        "open('a', 'wb').write(b'x' * 60_000)\nimport tempfile\nf = tempfile.TemporaryFile()\nf.write(b'x' * 60_000)\nf.flush()",
        "import csv\nwith open('a', 'w', newline='') as f: csv.writer(f).writerows([['x' * 1000]] * 200)",
    ] {
        let mut session = session();
        assert_eq!(run(&mut session, source), "OSError", "{source}");
        let taken: usize = session.files().unwrap().values().map(Vec::len).sum();
        assert!(taken <= QUOTA.bytes as usize, "{source}: {taken}");
    }
}

#[test]
fn entries_and_names_are_bounded_by_every_route() {
    for source in [
        "for i in range(100): open(f'f{i}', 'w').close()",
        "import os\nfor i in range(100): os.mkdir(f'd{i}')",
        "import os\nos.makedirs('/'.join('d' for _ in range(100)))",
        "open('n' * 300, 'w')",
        "open('/'.join('n' * 200 for _ in range(30)), 'w')",
        "for i in range(49):\n    with open('n' * 250 + str(i), 'w') as f: f.write('x' * 2000)",
        "import os\nh = [os.open(f'f{i % 40}', os.O_CREAT) for i in range(2000)]",
    ] {
        let mut session = session();
        let end = run(&mut session, source);
        assert!(end == "OSError" || end == "FileNotFoundError", "{source}: {end}");
    }
}

#[test]
fn a_program_that_tampers_with_the_tables_gets_no_more_out() {
    for source in [
        "import azr_files\nazr_files.files['/a'] = bytearray(200_000)",
        "import azr_files\nazr_files._charge = lambda *a: None\nopen('a', 'wb').write(b'x' * 200_000)",
        "import azr_files\nfor i in range(100): azr_files.files[f'/f{i}'] = bytearray()",
        "import _azr\n_azr.charge(-10**12, -10**12)\n_azr.charge(-2**62, -2**62)\nimport azr_files\nazr_files.files['/a'] = bytearray(10**6)",
    ] {
        let mut session = session();
        run(&mut session, source);
        let files = session.files();
        assert!(matches!(files, Err(Error::BadSession(_))), "{source}: {files:?}");
    }
    let mut session = session();
    let source = "import azr_files\n\
                  for name in ['../up', '/a/../../etc/passwd', '//x', '/', '', '/a//b', '/./a', 'rel', '/nul\\0', '/' + 'n' * 300,\n\
                               7, b'/bytes']:\n    azr_files.files[name] = bytearray(b'x')\n\
                  azr_files.files['/good'] = bytearray(b'y')\nazr_files.files['/text'] = 'no bytes'";
    assert_eq!(run(&mut session, source), "None");
    let files = session.files().unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["/good"]);
}

#[test]
fn paths_lead_nowhere_else() {
    let mut session = session();
    for path in ["/etc/passwd", "../../etc/passwd", "/proc/self/environ", "~/.ssh/id_rsa", "file:///etc/passwd"] {
        assert_eq!(run(&mut session, &format!("open('{path}')")), "FileNotFoundError", "{path}");
    }
    assert_eq!(run(&mut session, "open('a\\0b')"), "ValueError");
    assert_eq!(run(&mut session, "open('../../x', 'w').write('1')"), "1");
    assert_eq!(session.files().unwrap().keys().collect::<Vec<_>>(), ["/x"]);
    for bad in ["../x", "/a/../b", "", "/", "a//b", "a\0b"] {
        let run = SessionRun::new("1").with_file(bad, "x");
        assert!(matches!(session.run_with(&run), Err(Error::BadSession(_))), "{bad:?}");
    }
}

#[test]
fn without_files_there_are_none() {
    let mut session = sandbox().session(SessionOptions::new()).unwrap();
    assert_eq!(run(&mut session, "open('a', 'w')"), "OSError");
    assert!(matches!(session.files(), Err(Error::BadSession(_))));
    let with = SessionRun::new("1").with_file("a", "x");
    assert!(matches!(session.run_with(&with), Err(Error::BadSession(_))));
}

#[test]
fn standard_input_is_read_as_contest_programs_read_it() {
    let input = "3 4\n5\nlast";
    for (source, wanted) in [
        ("a, b = map(int, input().split())\nimport sys\n(a + b, sys.stdin.read())", "(7, '5\\nlast')"),
        ("import sys\n[line.rstrip() for line in sys.stdin]", "['3 4', '5', 'last']"),
        ("import sys\nsys.stdin.buffer.readline(), sys.stdin.buffer.read()", "(b'3 4\\n', b'5\\nlast')"),
        ("open(0).read().split()", "['3', '4', '5', 'last']"),
        ("import os\nos.read(0, 100)", "b'3 4\\n5\\nlast'"),
        ("import os, io\nio.BytesIO(os.read(0, os.fstat(0).st_size)).readline()", "b'3 4\\n'"),
        ("import sys\nsys.stdin.fileno()", "0"),
        ("for _ in range(3): input()\ninput()", "EOFError"),
    ] {
        for mut session in [session(), sandbox().session(SessionOptions::new()).unwrap()] {
            let run = SessionRun::new(source).with_stdin(input);
            assert_eq!(common::text(&session.run_with(&run).unwrap()), wanted, "{source}");
        }
    }
    let mut session = session();
    let outcome =
        session.run("import os\nos.write(1, b'out')\nos.write(2, b'err')\nprint('x', file=open(1, 'w'))").unwrap();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("outx\n", "err"));
}
