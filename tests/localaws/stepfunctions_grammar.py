"""Definitions and intrinsic functions are read once each.

moto reads a state machine's text anew for every execution, which takes longer than all its states together.
The syntax tree is kept, which nobody changes; the components that are made of it are each execution's own.
"""

from functools import lru_cache

from antlr4 import CommonTokenStream, InputStream


@lru_cache(maxsize=256)
def machine_tree(definition: str):
    """The syntax tree of a state machine; ASLParserException when it has none."""
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
    from moto.stepfunctions.parser.asl.parse.asl_parser import (
        ASLParserException, SyntaxErrorListener)

    parser = ASLParser(CommonTokenStream(ASLLexer(InputStream(definition))))
    parser.removeErrorListeners()
    found = SyntaxErrorListener()
    parser.addErrorListener(found)
    tree = parser.state_machine()
    if found.errors:
        raise ASLParserException(errors=found.errors)
    return tree


@lru_cache(maxsize=4096)
def function_tree(text: str):
    """The syntax tree of an intrinsic function."""
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicLexer import ASLIntrinsicLexer
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicParser import ASLIntrinsicParser

    return ASLIntrinsicParser(CommonTokenStream(ASLIntrinsicLexer(InputStream(text)))).func_decl()


def _parse(tree_of, preprocessor):
    def parse(text: str):
        tree = tree_of(text)
        return preprocessor().visit(tree), tree
    return staticmethod(parse)


def install() -> None:
    """Puts the memory into moto's interpreter."""
    from moto.stepfunctions.parser.asl.parse import asl_parser
    from moto.stepfunctions.parser.asl.parse.intrinsic import intrinsic_parser

    asl_parser.AmazonStateLanguageParser.parse = _parse(machine_tree, asl_parser.Preprocessor)
    intrinsic_parser.IntrinsicParser.parse = _parse(
        function_tree, intrinsic_parser.Preprocessor)
