"""Facts that the page of one section tells."""

import re

from synnodtest.report.page import templates


def facts_of(section, context):
    """Return each list of facts on the section's page, as texts by what they are called."""
    shown = {"d": section.data, "record": context.record, "context": context}
    page = templates().get_template(f"sections/{section.template}.html.j2").render(shown)
    lists = re.findall(r'<dl class="facts">(.*?)</dl>', page, re.S)
    return [dict(re.findall(r"<dt>(.*?)</dt><dd>.*?<bdi>(.*?)</bdi>", one)) for one in lists]
