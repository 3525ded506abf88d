"""Dialplans in XML, as people write them by hand and as their web servers answer them."""

from xml.sax.saxutils import quoteattr


def element(name, attributes):
    """The start of an element, without its end."""
    return f"<{name}" + "".join(f" {key}={quoteattr(value)}" for key, value in attributes)


def extension(number, steps, when=()):
    """An extension for the numbers that the regular expression fits, with (application, data) pairs as its steps; `when` has the
    attributes of a second condition."""
    number = element("condition", [("field", "destination_number"), ("expression", number)])
    conditions = f"{number}/>\n{element('condition', when)}>" if when else f"{number}>"
    actions = [element("action", [("application", name), ("data", data)]) + "/>" for name, data in steps]
    return "\n".join([element("extension", [("name", "bench")]) + ">", conditions, *actions, "</condition>\n</extension>\n"])


def context(name, extensions):
    """A context of those extensions, asked in that order."""
    return f"{element('context', [('name', name)])}>\n{''.join(extensions)}</context>\n"


def answer(contexts):
    """The whole document that mod_xml_curl wants."""
    return f'<document type="freeswitch/xml">\n<section name="dialplan">\n{contexts}</section>\n</document>\n'
