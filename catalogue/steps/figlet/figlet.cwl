cwlVersion: v1.2
class: CommandLineTool
label: Large letters
doc: Writes a text in large letters made of characters, as the program figlet does.

hints:
  DockerRequirement:
    dockerPull: software/figlet:1.0

baseCommand: pyfiglet

inputs:
  text:
    type: string
    label: Text
    doc: What to write. Letters without accents look best.
    inputBinding:
      position: 2
  font:
    type: string
    label: Font
    doc: The name of one of pyfiglet's fonts, such as slant or banner.
    default: standard
    inputBinding:
      prefix: -f
      position: 1
  width:
    type: int
    label: Columns
    doc: Where a line ends.
    default: 80
    inputBinding:
      prefix: -w
      position: 1

stdout: figlet.txt

outputs:
  letters:
    type: stdout
    label: Large letters
    doc: A text file with the letters.
