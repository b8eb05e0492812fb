"""Which of CPython's test files are run, and which of their tests ask for more than the language and its library."""

from typing import Final

FILES: Final = [
    "test_abc", "test_abstract_numbers", "test_array", "test_ast.test_ast", "test_asyncgen", "test_augassign",
    "test_base64", "test_baseexception", "test_binascii", "test_binop", "test_bisect", "test_bool", "test_builtin",
    "test_bytes", "test_calendar", "test_charmapcodec", "test_class", "test_cmath", "test_codeccallbacks",
    "test_codecs", "test_codeop", "test_collections", "test_colorsys", "test_compare", "test_compile",
    "test_complex", "test_configparser", "test_contains", "test_context", "test_contextlib", "test_copy",
    "test_copyreg", "test_coroutines", "test_csv", "test_dataclasses", "datetimetester", "test_decimal",
    "test_decorators", "test_defaultdict", "test_deque", "test_descr", "test_dict", "test_dictcomps",
    "test_dictviews", "test_difflib", "test_dis", "test_dynamic", "test_dynamicclassattribute", "test_enum",
    "test_enumerate", "test_eof", "test_errno", "test_except_star", "test_exception_group",
    "test_exception_hierarchy", "test_exception_variations", "test_exceptions", "test_extcall", "test_float",
    "test_flufl", "test_fnmatch", "test_format", "test_fractions", "test_frame", "test_fstring", "test_funcattrs",
    "test_functools", "test_generator_stop", "test_generators", "test_genericalias", "test_genericclass",
    "test_genericpath", "test_genexps", "test_getopt", "test_global", "test_grammar", "test_graphlib", "test_hash",
    "test_hashlib", "test_heapq", "test_hmac", "test_html", "test_htmlparser", "test_index",
    "test_inspect.test_inspect", "test_int", "test_int_literal", "test_io", "test_ipaddress", "test_isinstance",
    "test_iter", "test_iterlen", "test_itertools", "test_json.test_decode", "test_json.test_default",
    "test_json.test_dump", "test_json.test_encode_basestring_ascii", "test_json.test_enum", "test_json.test_fail",
    "test_json.test_float", "test_json.test_indent", "test_json.test_pass1", "test_json.test_pass2",
    "test_json.test_pass3", "test_json.test_recursion", "test_json.test_scanstring", "test_json.test_separators",
    "test_json.test_speedups", "test_json.test_unicode", "test_keyword", "test_keywordonlyarg", "test_linecache",
    "test_list", "test_listcomps", "test_locale", "test_long", "test_longexp", "test_marshal", "test_math",
    "test_math_property", "test_memoryio", "test_memoryview", "test_metaclass", "test_named_expressions",
    "test_numeric_tower", "test_opcodes", "test_operator", "test_ordered_dict", "test_patma", "test_pep646_syntax",
    "test_pickle", "test_platform", "test_positional_only_arg", "test_posixpath", "test_pow", "test_pprint",
    "test_print", "test_property", "test_queue", "test_quopri", "test_raise", "test_random", "test_range",
    "test_re", "test_reprlib", "test_richcmp", "test_sched", "test_scope", "test_secrets", "test_set",
    "test_setcomps", "test_shlex", "test_slice", "test_sort", "test_source_encoding", "test_statistics",
    "test_stat", "test_str", "test_strftime", "test_string", "test_string_literals", "test_stringprep",
    "test_strptime", "test_strtod", "test_struct", "test_structseq", "test_subclassinit", "test_super",
    "test_syntax", "test_sys", "test_textwrap", "test_thread", "test_threading_local", "test_time", "test_timeit",
    "test_tokenize", "test_tomllib.test_data", "test_tomllib.test_error", "test_tomllib.test_misc",
    "test_traceback", "test_tuple", "test_type_aliases", "test_type_annotations", "test_type_params",
    "test_typechecks", "test_types", "test_typing", "test_ucn", "test_unary", "test_unicode_identifiers",
    "test_unicodedata", "test_univnewlines", "test_unpack", "test_unpack_ex", "test_unparse", "test_urlparse",
    "test_userdict", "test_userlist", "test_userstring", "test_utf8source", "test_uuid", "test_weakref",
    "test_weakset", "test_with", "test_yield_from", "test_zlib", "test_future_stmt.test_future", "test_import",
    "test_module", "test_concurrent_futures.test_future", "test_string.test_string", "test_warnings",
    "test_importlib.test_util", "test_email.test__encoded_words", "test_email.test__header_value_parser",
    "test_email.test_asian_codecs", "test_email.test_contentmanager", "test_email.test_defect_handling",
    "test_email.test_email", "test_email.test_generator", "test_email.test_headerregistry",
    "test_email.test_inversion", "test_email.test_message", "test_email.test_parser", "test_email.test_pickleable",
    "test_email.test_policy", "test_email.test_utils", "test_xml_etree", "test_xml_etree_c", "test_minidom",
    "test_sax", "test_pyexpat", "test_pulldom", "test_xml_dom_minicompat", "test_plistlib", "test_mimetypes",
    "test_http_cookies", "test_wave", "test_zipfile.test_core", "test_zipfile._path.test_path", "test_tarfile",
    "test_filecmp", "test_fileinput", "test_shelve", "test_dbm_dumb", "test_pickletools",
]  # fmt: skip
"""Modules of the package `test`; those that a copy does not have are left out."""

WITH_FILES: Final = [
    "test_zipfile.test_core", "test_zipfile._path.test_path", "test_tarfile", "test_filecmp", "test_fileinput",
    "test_shelve", "test_dbm_dumb", "test_plistlib", "test_sax", "test_minidom", "test_pulldom", "test_xml_etree",
    "test_xml_etree_c", "test_wave", "test_email.test_email",
]  # fmt: skip
"""Those that write files: they have the files of a session, in memory, with the tests' own data among them."""

HOST: Final = [
    "asyncio", "asyncio.events", "asyncio.runners", "asyncio.exceptions", "asyncio.tasks", "sysconfig", "tempfile",
    "subprocess", "shutil", "logging", "argparse", "signal", "glob", "pathlib", "doctest", "mmap", "select",
    "faulthandler", "resource", "symtable", "pickletools", "xml", "xml.etree", "xml.etree.ElementTree", "xml.dom",
    "xml.sax", "ctypes", "ctypes.util", "tracemalloc", "zoneinfo", "concurrent.futures", "optparse", "gettext",
    "selectors", "socket", "ssl", "code", "cmd", "site", "runpy", "pkgutil", "multiprocessing",
    "multiprocessing.util", "py_compile", "zipfile", "compileall", "fileinput", "socketserver", "http",
    "http.client", "urllib.request", "urllib.error", "pwd", "grp", "fcntl", "curses", "sqlite3", "lzma", "bz2",
    "gzip", "_testcapi", "dbm", "dbm.dumb", "_testlimitedcapi", "unittest.mock", "pdb", "pydoc", "profile",
    "cProfile", "marshal", "msvcrt", "email", "email.utils", "http.server", "urllib.response", "ntpath", "filecmp",
    "syslog", "concurrent.futures.thread", "concurrent.futures.process", "mailbox", "http.cookies", "_pyio",
    "_datetime",
]  # fmt: skip
"""Modules of the standard library that tests import; the sandbox is given stand-ins for those that it has none of."""

DATA: Final = (
    "mathdata", "configdata", "decimaltestdata", "tokenizedata", "data", "xmltestdata", "archivetestdata", "audiodata"
)  # fmt: skip
LONE_DATA: Final = (".txt", ".json", ".html", ".pck")
"""Data that tests read: folders, and files of these kinds that a test names."""
