cwlVersion: v1.2
class: Workflow
label: Detector1
doc: Corrects the raw exposures of one JWST detector and turns their groups into count rates.

inputs:
  exposure:
    type: File
    label: Exposure
    doc: An uncalibrated exposure (_uncal.fits).
    format: http://edamontology.org/format_2333
  crds_path:
    type: string
    label: Reference files
    doc: The folder in which CRDS keeps its reference files.
    default: /media/user/crds

outputs:
  rate:
    type: File
    label: Product
    outputSource: process/rate

steps:
  process:
    label: Detector1
    run: detector1-tool.cwl
    in:
      exposure: exposure
      crds_path: crds_path
    out: [rate]
