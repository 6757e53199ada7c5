cwlVersion: v1.2
class: CommandLineTool
label: Say a message
doc: Writes a text into a file.

baseCommand: echo

inputs:
  message:
    type: string
    inputBinding: {}

stdout: said.txt

outputs:
  said:
    type: stdout
