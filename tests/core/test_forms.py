"""Forms speak the reader's language, tidy what is typed and keep it short."""

import pytest
from wtforms import PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from hub.core import i18n
from hub.core.errors import HubError, Invalid
from hub.core.forms import HubForm


class NoteForm(HubForm):
    title = StringField("Title", [DataRequired()])
    text = TextAreaField("Text")
    book = TextAreaField("Book", [Length(max=50_000)])
    password = PasswordField("Password")


class AskForm(HubForm):
    question = StringField("Question", [InputRequired()])
    secret = PasswordField("Secret", [InputRequired()])


@pytest.fixture
def fill(app):
    def fill(**values):
        with app.test_request_context("/", method="POST", data=values):
            form = NoteForm()
            form.validate()
            return form

    return fill


@pytest.mark.parametrize(
    ("locale", "message"),
    [("en", "This field is required."), ("ru", "Обязательное поле."), ("pl", "To pole jest wymagane.")],
)
def test_messages_follow_the_reader(fill, locale, message):
    with i18n.speaking(locale):
        assert fill().title.errors == [message]


def test_text_loses_the_space_around_it_and_a_password_keeps_it(fill):
    form = fill(title="  A\x00 b ", text="one\r\ntwo\r\n", password=" se\x00cret ")
    assert (form.title.data, form.text.data, form.password.data) == ("A b", "one\ntwo", " secret ")


def test_a_title_of_spaces_is_missing(fill):
    assert fill(title="   ").title.errors


def test_long_text_is_refused_unless_the_field_allows_it(fill):
    form = fill(title="x" * 201, text="x" * 20_001, book="x" * 40_000)
    assert form.title.errors
    assert form.text.errors
    assert not form.book.errors


def test_a_long_text_is_refused_and_not_cut_off_by_the_browser(fill):
    form = fill(text="x")
    assert "maxlength" not in form.book() + form.text()
    assert 'maxlength="200"' in form.title()


def test_a_refusal_goes_beside_its_field_or_above_the_form(fill):
    form = fill(title="Taken")
    form.blame(Invalid(title=["This title is taken."]))
    form.blame(HubError("The year is closed."))
    assert form.title.errors == ["This title is taken."]
    assert form.form_errors == ["The year is closed."]


@pytest.mark.parametrize("nothing", ["  ", "\x00", "\n"])
def test_space_is_no_answer_to_what_is_required(app, nothing):
    with app.test_request_context("/", method="POST", data={"question": nothing, "secret": "  "}):
        form = AskForm()
        form.validate()
        assert form.errors == {"question": ["This field is required."]}
