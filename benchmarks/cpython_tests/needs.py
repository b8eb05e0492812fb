"""What a test asks for that is not the language or its library: such a test is set aside, and says why.

Each line of a table is a file and the names of its tests, as patterns.
"""

import re
from typing import Final

HOST: Final = re.compile(
    r"needs a host|absent_modules|'_Absent'|io.open likely isn't supported|\[Errno (2|30|38)\]|SkipTest'?[:,] '?needs |_testinternalcapi|_testcapi"
    r"|No usable temporary directory"
    r"|No module named '(_testcapi|_testlimitedcapi|_testsinglephase|_datetime|_pyio|test\.)"
    r"|has no attribute '(supports_follow_symlinks|times_result|n_unnamed_fields|FileIO)'|cannot import name 'FileIO'"
)
"""What is said where a file, a process, a network or the interpreter's own test modules are missing."""

THREADS: Final = """
test_queue .*(join|shutdown)
test_thread .*
test_threading_local .*(threading_local|derived_cycle|threads)
test_sched .*concurrent
test_functools .*threaded.*
test_itertools .*tee_concurrent
test_contextlib LockContextTestCase.*
"""
"""Threads that run at the same time: here a thread runs to its end where it is started."""

INNER: Final = """
test_ast.test_ast (ASTOptimiz.*|.*const_folding|.*asdl_signature|.*singletons|.*stdlib_validates)
test_builtin .*test_compile_ast
test_positional_only_arg .*constant_fold
test_bytes .*(test_alloc|test_init_alloc)
test_long .*sizeof.*
test_str .*raiseMemError
test_set .*container_iterator
test_dict .*container_iterator
test_inspect.test_inspect TestGetsourceStdlib.*
test_dynamic .*keeps_oparg
test_frame .*invisible.*
test_linecache
test_dis .*
test_compile .*(false_while_loop|line_number_genexp)
test_io (Py.*|CMiscIOTest.test_pickling)
test_sys .*(current_exceptions|current_frames|test_executable|gil_enabled|stdlib_dir|thread_info)
test_pickle .*(test_compat_pickle|test_compat_unpickle|unpickle_from_2x|test_name_mapping)
test_platform .*
test_funcattrs .*builtin__qualname__
test_fstring .*test_global
test_marshal CompatibilityTestCase.*
test_decimal CWhitebox.*
"""
"""How CPython is made: byte code, folding in the syntax tree, sizes in memory, when cycles are collected, its files."""

NEWER: Final = r"""
test_ast.test_ast .*(nameconstant|test_num|deprecated|field_attr|test_isinstance|realtype|precedence_enum|old_constant_nodes|invalid_sum)
test_builtin .*warning_notimplemented
test_bytes .*fromhex
test_cmath .*test_specific_values
test_coroutines .*test_await_[128]
test_dataclasses .*(field_repr|default_none|no_types)
datetimetester .*test_strptime
test_descr .*test_classmethods
test_difflib .*(no_trailing_tab|tab_delimiter)
test_fnmatch .*test_translate
test_functools .*partial_as_method
test_genericpath .*exists_bool
test_grammar .*var_annot.*
test_graphlib .*prepare_multiple_times
test_inspect.test_inspect .*(__all__|typing_replacement|builtin_descriptors|isroutine|positional_only|signature_as_callable|signature_as_str|callable_objects|on_class|on_class_with_init)
test_int .*(int_returns_int_subclass|intconversion)
test_long .*test_conversion
test_itertools TestBasicOps.test_(accumulate|chain_.*|combinations.*|compress|count|count_with_step|cycle_.*|dropwhile|filterfalse|groupby|islice|map|permutations|product_.*|repeat|starmap|takewhile|zip_longest_pickling)
test_itertools TestExamples.test_accumulate_reducible.*
test_re .*string_boundaries
test_statistics .*kde_kernel_invcdfs
test_timeit .*test_main_.*
test_type_annotations .*
test_typing .*(SpecialAttrs|UnionTests|forward_equality_namespace|forward_recursion|special_forms_forward|extended_generic_rules_repr|bare_union|type_hints_classes|type_hints_modules|class_var|bad_var_sub|bound_errors|test_args)
test_urlparse .*Quoter.*
test_unicodedata .*bidirectional
test_unicodedata .*checksum
test_codeop .*test_warning
test_complex .*test_constructor
test_csv .*(test_delimiter|test_escapechar|test_lineterminator|test_quoting)
test_difflib .*(test_html_diff|test_no_trailing_tab_on_empty_filedate)
test_exceptions .*(testSyntaxErrorOffset|test_incorrect_constructor|test_range_of_offsets)
test_fractions .*(testMixedMultiplication|test_format_f_presentation_type|test_invalid_formats)
test_frame .*test_delete
test_fstring .*(test_conversions|test_invalid_string_prefixes)
test_functools .*test_invalid_registrations
test_future_stmt.test_future .*(test_future_import_braces|test_future_import_star|test_unknown_future_flag)
test_generators .*__test__.pep
test_genexps .*__test__.doctests
test_hashlib .*(test_blake2b|test_blake2s)
test_htmlparser .*(test_EOF_in_charref|test_broken_condcoms|test_broken_invalid_end_tag|test_cdata_with_closing_tags|test_convert_charrefs|test_starttag_junk_chars|test_tolerant_parsing)
test_itertools .*(test_keywords_in_subclass|test_tee)
test_math .*ieee754_txt
test_print .*test_stream_redirection_hint_for_py2_migration
test_re .*test_other_escapes
test_str .*(test_capitalize_nonascii|test_formatting|test_printable_repr)
test_syntax .*test.test_syntax
test_sys .*test_excepthook_bytes_filename
test_textwrap .*(test_break_long|test_max_lines_long)
test_tokenize .*test_string
test_traceback .*(test_all|test_caret_in_type_annotation)
test_typing .*(test_bad_var_substitution|test_cannot_subclass|test_forward_recursion_actually|test_function_repr_union|test_repr|test_special_attrs|test_special_attrs2|test_subclass_error)
test_unpack .*__test__.doctests
test_unparse .*(test_backslash_in_format_spec|test_constant_tuples|test_fstrings)
test_userstring .*test_capitalize_nonascii
test_uuid .*test_exceptions
"""
"""What CPython 3.14 does otherwise than the 3.13 of a copy: the guest's library is 3.14's. Those after
test_unicodedata were run under CPython 3.14.0 (Pyodide), where they fail too."""

LARGE: Final = """
test_hashlib .*(4gb|huge)
test_zlib .*big.*
"""
"""Gigabytes of data."""

REASONS: Final = {
    "large data": LARGE,
    "threads at the same time": THREADS,
    "how CPython is made": INNER,
    "newer in 3.14": NEWER,
}
WORDING: Final = re.compile(
    r"AssertionError', (['\"]).* does not match |not found in 'unsupported operand|str\(cm\.exception\)|str\(err\)"
)
"""Failures over the text of an exception alone, which differs (LIMITATIONS.md)."""


def _rules() -> list[tuple[str, re.Pattern[str], str]]:
    rules = []
    for reason, table in REASONS.items():
        for line in table.strip().splitlines():
            file, _, tests = line.partition(" ")
            rules.append((file, re.compile(tests or ".*"), reason))
    return rules


_RULES: Final = _rules()


def needed(file: str, test: str, status: str, said: str) -> str | None:
    """Why a test is set aside, if it is; one that passes never is."""
    if status != "failed":
        return None
    if HOST.search(said):
        return "needs a host: " + said[:200]
    return next(
        (f"{reason}: {said[:200]}" for its, tests, reason in _RULES if its == file and tests.fullmatch(test)), None
    )
