import pytest
from django.core.management import CommandError, call_command

from trial.models import Recording, Site

GIVEN = {
    "study": "MT103-211",
    "number": "077",
    "name": "Turin",
    "country": "ITA",
    "time_zone": "Europe/Rome",
    "by": "administrator",
    "reason": "The contract was signed.",
}


def test_a_site_is_added_in_the_name_of_a_person(cast, capsys):
    call_command("add_site", **GIVEN)

    site = Site.objects.get(number="077")
    assert (str(site), site.region, site.time_zone) == ("077 Turin", "EUROPE", "Europe/Rome")
    act = Recording.objects.order_by("id").last()
    assert (act.person_name, act.reason, act.channel) == ("Administrator", "The contract was signed.", "command")
    assert capsys.readouterr().out == "MT103-211 has the site 077 Turin.\n"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"study": "MT999"}, "There is no study 'MT999'. There is: MT103-211."),
        ({"by": "nobody-here"}, "There is no active account 'nobody-here'."),
        ({"country": "Italy"}, "--country is 'Italy'. Give three capital letters, such as DEU."),
        ({"time_zone": "Rome"}, "--time-zone is 'Rome'. Give an IANA name, such as Europe/Berlin."),
        ({"number": "012"}, "MT103-211 already has a site 012."),
        ({"reason": " . "}, "Say why this entry is being changed."),
    ],
)
def test_a_site_that_cannot_be_added_is_answered_with_a_sentence(cast, wrong, says):
    before = Site.objects.count()

    with pytest.raises(CommandError) as refused:
        call_command("add_site", **GIVEN | wrong)

    assert says in str(refused.value)
    assert Site.objects.count() == before
