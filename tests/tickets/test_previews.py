"""What a message points to within the hub stands below it, for those who may see it."""

import pytest

from hub.core.database import transaction
from hub.core.markup import message as shown
from hub.core.settings import settings
from tests.training.factories import make_webinar

from .factories import make_ticket


def test_links_into_the_hub_show_what_is_there_to_those_who_may_see_it(cast, browse):
    foreign = make_ticket(cast.other_partner, "MARKER of another partner")
    with transaction():
        webinar = make_webinar(title="Deep links in practice")
    own = make_ticket(
        cast.partner,
        "Links",
        f"See {settings.base_url}/training/webinars/{webinar.id}, [that]({settings.base_url}/tickets/{foreign.number}) "
        f"and {settings.base_url}/nowhere, https://x.example/tickets/{foreign.number}",
    )
    partner = browse(cast.partner).get(f"/tickets/{own.number}").text
    assert partner.count('class="preview"') == 1
    assert "Deep links in practice" in partner
    assert "MARKER" not in partner
    agent = browse(cast.agent).get(f"/inbox/{own.number}").text
    assert agent.count('class="preview"') == 2
    assert f"№ {foreign.number}: MARKER" in agent


@pytest.mark.once
def test_a_link_with_words_names_the_site_it_leads_to():
    assert "</a> (evil.example)" in shown("[our bank](https://evil.example/login)")
    assert "(evil" not in shown("[evil.example](https://evil.example/)")
    assert shown("https://x.example/a").count("x.example") == 2
