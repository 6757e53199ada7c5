cwlVersion: v1.2
class: CommandLineTool
label: Concatenate
doc: Puts text files one after the other into one file, in the order in which they come.

baseCommand: cat

inputs:
  files:
    type: File[]
    label: Text files
    inputBinding:
      position: 1
  name:
    type: string
    label: Name of the file
    default: together.txt

stdout: $(inputs.name)

outputs:
  together:
    type: stdout
    label: One file
