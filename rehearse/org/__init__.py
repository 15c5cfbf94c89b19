"""Everything that speaks to Salesforce, and nothing that decides. Its spelling ends here: others see `model`.

A request goes through `wire` (one retry policy, one re-login) to `transport`, where the last look before a byte leaves
is `guard`: what production may receive. An OrgWriter exists only for an org that proved to be a sandbox (`proof`).

Where what lives:

    model, sandbox_model                 the nouns, in our spelling
    connect, logins, sf_cli              from a login to a reader, a writer or the control of production's sandboxes
    reader, writer, control, proof       who may ask, who may write, who may refresh, and what proves a sandbox
    wire, transport, guard, answers,     one request on its way: retries, the filter, errors from replies, time
    patience, waiting
    rest, composite, describe, rows,     REST: reads, several in one, shapes of objects, row writes, one line of Apex
    email_probe
    bulk_*, bulk                         Bulk API 2.0: queries, ingest, CSV
    soap_*, soap, metadata               SOAP replies and requests; the Metadata API
    sandboxes                            SandboxInfo and SandboxProcess of a production
"""
