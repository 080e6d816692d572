"""A definition is read once; what is made of it belongs to one execution."""

import json

import pytest

from localaws import stepfunctions, stepfunctions_grammar

PASS = {"Type": "Pass", "Parameters": {"text.$": "States.Format('{}', $.name)"}, "End": True}


@pytest.fixture(autouse=True)
def installed():
    stepfunctions.install()


def parse(document):
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    text = document if isinstance(document, str) else json.dumps(document)
    return AmazonStateLanguageParser.parse(text)


def test_the_same_text_is_read_once_and_made_into_components_each_time():
    machine = {"StartAt": "A", "States": {"A": PASS}}
    (one, tree), (other, same) = parse(machine), parse(machine)
    assert same is tree and other is not one
    again = stepfunctions_grammar.function_tree("States.Format('{}', $.name)")
    assert stepfunctions_grammar.function_tree("States.Format('{}', $.name)") is again


def test_another_text_is_another_machine():
    other = PASS | {"Parameters": {"text.$": "States.Format('{}!', $.name)"}}
    trees = [parse({"StartAt": "A", "States": {"A": state}})[1] for state in (PASS, other)]
    assert trees[0].getText() != trees[1].getText()


def test_a_broken_text_is_refused_each_time():
    from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException

    for _ in range(2):
        with pytest.raises(ASLParserException):
            parse('{"StartAt": "A", "States": {"A": {"Type": }}}')
