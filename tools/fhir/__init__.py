"""FHIR R4 in and out, as pure functions: a bundle becomes a chart with a report, a chart becomes a bundle.

Nothing here reads a file, a store or a clock; the door (`pa fhir`) does. What a bundle says and the chart
cannot hold is counted and listed in the report, never dropped in silence.
"""
