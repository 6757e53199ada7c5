cwlVersion: v1.2
class: ExpressionTool
label: List files
doc: Turns a folder into the list of its files, by name. Folders in it are left out.

requirements:
  InlineJavascriptRequirement: {}
  LoadListingRequirement:
    loadListing: shallow_listing

inputs:
  folder:
    type: Directory
    label: Folder
  ending:
    type: string
    label: Ending
    doc: Only files whose names end so, such as .txt; all of them if it is empty.
    default: ""

outputs:
  files:
    type: File[]
    label: Its files

expression: |
  ${
    var found = inputs.folder.listing.filter(function (one) {
      return one.class === "File" && one.basename.slice(-inputs.ending.length || 0).indexOf(inputs.ending) === 0;
    });
    found.sort(function (a, b) { return a.basename < b.basename ? -1 : 1; });
    return {"files": found};
  }
