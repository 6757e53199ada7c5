cwlVersion: v1.2
class: Workflow
label: scatter-gather
doc: Counts the words of each text file in a folder, all at the same time, and puts the numbers into one file.

requirements:
  ScatterFeatureRequirement: {}

inputs:
  folder:
    type: Directory
    label: A folder
    doc: A folder with text files.
  ending:
    type: string
    label: Ending
    doc: Only files whose names end so.
    default: .txt

outputs:
  counts:
    type: File
    label: All numbers
    outputSource: gather/together

steps:
  list:
    label: Which files are there?
    run: catalogue/list-files/1.0.cwl
    in:
      folder: folder
      ending: ending
    out: [files]
  count:
    label: Count each one's words
    run: catalogue/count-words/1.0.cwl
    scatter: text
    in:
      text: list/files
    out: [words]
  gather:
    label: Put the numbers together
    run: catalogue/concatenate/1.0.cwl
    in:
      files: count/words
      name: {default: counts.txt}
    out: [together]
