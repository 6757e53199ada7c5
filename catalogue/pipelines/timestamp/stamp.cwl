cwlVersion: v1.2
class: CommandLineTool
label: Stamp a text
doc: Writes the time, waits, copies what it reads and writes the time again.

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: stamp.sh
        entry:
          $include: stamp.sh

baseCommand: [sh, stamp.sh]

inputs:
  text:
    type: File
  seconds:
    type: int
    inputBinding:
      position: 1

stdin: $(inputs.text.path)
stdout: stamped.txt

outputs:
  stamped:
    type: stdout
