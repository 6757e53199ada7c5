cwlVersion: v1.2
class: CommandLineTool
label: Count words
doc: Writes the number of words in a text file.

baseCommand: [wc, -w]

inputs:
  text:
    type: File
    label: A text file

stdin: $(inputs.text.path)
stdout: $(inputs.text.nameroot).words.txt

outputs:
  words:
    type: stdout
    label: Number of words
