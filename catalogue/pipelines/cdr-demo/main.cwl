cwlVersion: v1.2
class: Workflow
label: cdr-demo
doc: Cuts one column out of a table and counts how often each value occurs. The column itself is kept, too.

inputs:
  table:
    type: File
    label: A table
    doc: A text file with commas between the columns and their names in the first line.
  column:
    type: int
    label: Column
    doc: Which column, counted from 1.
    default: 1

outputs:
  column_values:
    type: File
    label: The column
    doc: What the first step made.
    outputSource: cut/values
  counts:
    type: File
    label: How often each value occurs
    outputSource: count/counts

steps:
  cut:
    label: Cut the column out
    run: cut.cwl
    in:
      table: table
      column: column
    out: [values]
  count:
    label: Count its values
    run: count.cwl
    in:
      values: cut/values
    out: [counts]
