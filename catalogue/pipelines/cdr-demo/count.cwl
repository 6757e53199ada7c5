cwlVersion: v1.2
class: CommandLineTool
label: Count values
doc: Writes how often each line occurs, the most frequent first.

requirements:
  EnvVarRequirement:
    envDef:
      LC_ALL: C
  InitialWorkDirRequirement:
    listing:
      - entryname: count.sh
        entry: |
          sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//'

baseCommand: [sh, count.sh]

inputs:
  values:
    type: File

stdin: $(inputs.values.path)
stdout: counts.txt

outputs:
  counts:
    type: stdout
