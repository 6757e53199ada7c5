cwlVersion: v1.2
class: Workflow
label: JWST
doc: Takes raw exposures of JWST all the way to calibrated images, each by itself.

requirements:
  ScatterFeatureRequirement: {}

inputs:
  exposures:
    type: File[]
    label: Exposures
    doc: Uncalibrated exposures (_uncal.fits).
    format: http://edamontology.org/format_2333
  crds_path:
    type: string
    label: Reference files
    doc: The folder in which CRDS keeps its reference files.
    default: /media/user/crds

outputs:
  rates:
    type: File[]
    label: Count rates
    outputSource: detector1/rate
  images:
    type: File[]
    label: Calibrated images
    outputSource: image2/cal

steps:
  detector1:
    label: Detector1
    run: detector1.cwl
    scatter: exposure
    in:
      exposure: exposures
      crds_path: crds_path
    out: [rate]
  image2:
    label: Image2
    run: image2.cwl
    scatter: exposure
    in:
      exposure: detector1/rate
      crds_path: crds_path
    out: [cal]
