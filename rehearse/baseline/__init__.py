"""What an org holds, kept: capture, store, comparison. One content has one snapshot id, however it was read.

A capture reads an org into the store in an order that survives a crash at any point; whatever reads the store checks
digests. Nothing here changes an org.

Where what lives:

    model, store_model                   the nouns: scope, capture, snapshot, change; what became of a store
    scope, filters, row_kinds            what counts: types, objects, fields, frozen filters
    capture_*, capture, asking, estimate taking a capture: metadata, rows, bulk pages, in order; what it would take
    listing, standard_value_sets,        metadata lists and retrieves; what no list names; work that is begun before
    manifests, jobs_ahead, load_ahead,   its turn
    early_digests
    components, component_types, zip_*,  any package or retrieve as components; metadata files as trees; source format
    metadata_xml, source_tree, profiles
    rare_types
    canonical_*, canonical               one text and one digest for what means the same: values, columns, XML
    flow_*, standing, field_listing,     versions of flows, packages and schedules, what a listing cannot say
    bodies                               (and the contents of files)
    row_reading, csv_page, settle,       rows: read, checked, settled when they changed meanwhile
    lookup_counts, access
    incremental, layers, silent_changes, a later capture built on an earlier one
    known_*
    coverage, hollow                     what a capture holds and lacks, and whether to rely on it
    record_*, row_places, keys           encrypted parts of rows, and the keys that open them
    metadata_store, metadata_tree,       the git repository of metadata
    metadata_sweep, git_pack
    manifest, writing, working,          a capture as files: written whole or not at all; who uses a store; the index of
    store_lock, index, budget            names; calls of the day
    compare_*, compare, digest_join,     what differs, by digests first; fields that cannot be compared; rows behind a
    schema_changes, left_filter,         filter; Ids of set-up that was made again; flows in words; who wrote
    set_up_ids, part_authors
    fidelity, packages                   a sandbox beside production; from stored files to what a deployment needs
    verify, repair, prune_*, prune,      whether it is still whole, mending, destroying by rule, clear text for auditors
    export
"""
