cwlVersion: v1.2
class: CommandLineTool
label: Cut a column out
doc: Writes one column of a table, without its name.

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: cut.sh
        entry: |
          tail -n +2 | cut -d , -f "$1"

baseCommand: [sh, cut.sh]

inputs:
  table:
    type: File
  column:
    type: int
    inputBinding:
      position: 1

stdin: $(inputs.table.path)
stdout: column.txt

outputs:
  values:
    type: stdout
