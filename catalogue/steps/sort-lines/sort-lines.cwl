cwlVersion: v1.2
class: CommandLineTool
label: Sort lines
doc: Sorts the lines of a text file.

requirements:
  EnvVarRequirement:
    envDef:
      LC_ALL: C

baseCommand: sort

inputs:
  text:
    type: File
    label: A text file
    inputBinding:
      position: 2
  numbers:
    type: boolean
    label: As numbers
    default: false
    inputBinding:
      position: 1
      prefix: -n
  reverse:
    type: boolean
    label: The largest first
    default: false
    inputBinding:
      position: 1
      prefix: -r

stdout: $(inputs.text.nameroot).sorted.txt

outputs:
  sorted:
    type: stdout
    label: The same lines in order
