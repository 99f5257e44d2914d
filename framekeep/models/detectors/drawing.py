"""A picture to try detectors on."""

from PIL import Image, ImageDraw


def drawn() -> Image.Image:
    """A street of a child's hand, wider than high: some detectors see something in it, and none has to."""
    picture = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 360, 640, 480), fill=(90, 90, 95))
    for left, colour in ((60, (170, 40, 40)), (250, (40, 70, 160)), (430, (30, 120, 60))):
        draw.ellipse((left + 12, 150, left + 48, 190), fill=(220, 180, 150))
        draw.rectangle((left, 190, left + 60, 300), fill=colour)
        draw.rectangle((left + 8, 300, left + 26, 410), fill=(40, 40, 60))
        draw.rectangle((left + 34, 300, left + 52, 410), fill=(40, 40, 60))
    return picture
