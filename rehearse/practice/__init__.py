"""The practice org: a local Salesforce to learn, test and demonstrate with, without a licence or a risk.

It imports nothing of the other rooms, and they nothing of it; modules import in one direction only. A request comes in
at `server`, passes `app` (the front: session, version, log, faults), and reaches the file that holds its route.

Where what lives, by the beginning of a file's name:

    server, app, exchange, process,      the process, its two ports, one request on the wire, certificates, the rate
    tls, throttle, request_log           of bulk results, and the log of what production was asked
    http_errors, json_body               refusals in Salesforce's forms; JSON that is read strictly
    auth, oauth_*, soap_login, tokens,   who asks: sessions, the ways to log in, client credentials, passwords
    person_secrets
    rest_*                               REST: resources, rows, collections, composite, queries, search, replication
    soql_*, sosl                         SOQL: parse, plan (SQL), filters, run, pages; SOSL on top of it
    soap_*, partner_soap                 SOAP: forms and dialects, records, data operations, describes; soap_metadata
    bulk1_*                              Bulk API 1.0 in XML, CSV and JSON
    bulk_*, page_file                    Bulk API 2.0: jobs (store, workers), queries, ingest, CSV, results on disk
    meta_*                               metadata at rest: types, components' XML, lists, CRUD, rename, jobs, flows,
                                         value sets, and what follows from it (schema, rows that mirror set-up)
    components                           the store that meta_*, deploy_* and retrieve stand on
    deploy_*                             a deployment: zip, plan, checks, writing, removing, result, states, REST
    retrieve, retrieve_jobs              a retrieve, and its job
    deleted_fields                       the bin of fields
    tooling_*, entity_tables,            the Tooling API; EntityDefinition and FieldDefinition; what is installed
    packages_*
    org_state, org_tables, org_ids       one org on disk: definitions, rows, counters, ids; it knows no rule
    schema_*, describe_*                 what objects and fields are, and how they are described
    rows_*, recycle_*                    writing rows with every rule: values, checks, duplicates, assignment, roll-ups,
                                         audit, files; deletion, the bin, undelete
    automation, formula_*, apex_*        rules that act as triggers and flows do, formulas, scheduled and running Apex
    field_security, user_rights,         what a user may see and do; whether e-mail goes out; what an administrator
    deliverability, features             switches on for a whole org
    estate, estate_file, settings,       the folder of a world: its orgs, clock, named assumptions, faults
    virtual_clock, faults
    sandbox_*, sandboxes                 copies: requests, steps in time, the engine that carries them out, contents,
                                         history, rows and views
    seed_*, seed                         the company that a new world is made of, of any size
    play_*, play                         a team that holds a rehearsal from outside, and goes wrong
    admin, control, connect, rebuild,    what the command line does with a world: look, start and stop, hand out access,
    client_settings                      make anew, and how each known client is set up
"""
