cwlVersion: v1.2
class: Workflow
label: Solar flares
doc: |
  Calibrates a day of the Sun's X-ray flux (GOES, 1 to 8 Ångström), finds the flares in it, and measures each.
  A flare begins with four minutes of rising flux that grows by 1.4 or more, and ends where the flux has fallen half
  way back, as NOAA's Space Weather Prediction Center counts them.

requirements:
  ScatterFeatureRequirement: {}

inputs:
  record:
    type: File
    label: A day of X-rays
    doc: A FITS file of the GOES X-ray sensor, with a table FLUXES.
  weakest:
    type: float
    label: Weakest flare
    doc: Peak flux in W/m² below which a rise is no flare; 1e-6 is class C1.
    default: 1.0e-6

outputs:
  light_curve:
    type: File
    label: Calibrated flux
    doc: Mean flux of each minute, in W/m².
    outputSource: calibrate/minutes
  flares:
    type: File
    label: Flares
    doc: Class, begin, peak and end, peak flux and fluence of each, the strongest first.
    outputSource: report/flares
  picture:
    type: File
    label: Picture
    outputSource: report/picture

steps:
  calibrate:
    label: Calibrate
    run: calibrate.cwl
    in:
      record: record
    out: [minutes]
  detect:
    label: Find flares
    run: detect.cwl
    in:
      minutes: calibrate/minutes
      weakest: weakest
    out: [events]
  measure:
    label: Measure each
    run: measure.cwl
    scatter: event
    in:
      minutes: calibrate/minutes
      event: detect/events
    out: [measured]
  report:
    label: Put them together
    run: report.cwl
    in:
      minutes: calibrate/minutes
      measured: measure/measured
    out: [flares, picture]
