"""The tools about pictures: Image2Text reads or describes one, Text2Image draws one.

The catalogue of the library imports `image_to_text.py` (with `captions.py`, the captions of a data set) and
`text_to_image.py`. Models and packages of pictures are imported by the first call only. Begin with
`image_to_text.py`.
"""
