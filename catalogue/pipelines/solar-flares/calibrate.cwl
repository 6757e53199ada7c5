cwlVersion: v1.2
class: CommandLineTool
label: Calibrate
doc: Takes gaps and fill values out and averages the flux over minutes.

hints:
  DockerRequirement:
    dockerPull: datalabs/jupyterlab:1.0.0

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: calibrate.py
        entry:
          $include: calibrate.py

baseCommand: [python, calibrate.py]

inputs:
  record:
    type: File
    inputBinding:
      position: 1

outputs:
  minutes:
    type: File
    outputBinding:
      glob: minutes.ecsv
