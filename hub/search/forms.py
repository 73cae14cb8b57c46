"""What the team writes about words, and the questions that go with a button."""

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired

from ..core.forms import HubForm
from ..core.i18n import LOCALES, _l


class EqualForm(HubForm):
    """Words that find each other."""

    lang = SelectField(_l("Language"), choices=list(LOCALES.items()))
    words = StringField(
        _l("Words"),
        validators=[InputRequired(_l("Write the words."))],
        description=_l(
            "Single words, separated by commas: a search for one finds the others, in all their forms."
        ),
    )


class BestForm(HubForm):
    """A question and its article."""

    lang = SelectField(_l("Language"), choices=list(LOCALES.items()))
    text = StringField(_l("Question"), validators=[InputRequired(_l("Write the question."))])
    address = StringField(
        _l("Article"),
        validators=[InputRequired(_l("Paste the address of the article."))],
        description=_l("The address of its page, or the last part of it."),
    )


class QuestionForm(HubForm):
    """A question as it was asked."""

    lang = HiddenField(validators=[InputRequired()])
    text = HiddenField(validators=[InputRequired()])
